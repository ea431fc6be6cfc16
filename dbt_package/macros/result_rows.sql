{# Return the rows to record: one for each result, one for each selected node that has none (a hook failed before
   it ran), and last one for the command itself. The last says that the others are complete. #}
{% macro result_rows(results) %}
    {% set kinds = ['model', 'seed', 'snapshot', 'function', 'test', 'unit_test', 'source'] %}
    {% set recorded_at = modules.datetime.datetime.now(modules.pytz.utc) %}
    {% set rows, seen = [], [] %}
    {% for result in results if result.node.resource_type in kinds %}
        {% do seen.append(result.node.unique_id) %}
        {% do rows.append(reverse_etl.result_row(result, recorded_at)) %}
    {% endfor %}
    {% if not rows %}
        {% for unique_id in selected_resources %}
            {% set node = graph.nodes.get(unique_id) %}
            {% if node and node.resource_type in kinds and node.config.materialized != 'ephemeral' %}
                {% do rows.append(reverse_etl.row(
                    node.unique_id, node.resource_type, 'skipped', recorded_at, recorded_at,
                    relation_name=node.relation_name)) %}
            {% endif %}
        {% endfor %}
    {% endif %}
    {% do rows.append(reverse_etl.row('', 'invocation', '', recorded_at, recorded_at)) %}
    {{ return(rows) }}
{% endmacro %}


{% macro result_row(result, recorded_at) %}
    {% set node = result.node %}
    {% set steps = result.timing | selectattr('name', 'equalto', 'execute') | list %}
    {% set completed_at = steps[-1].completed_at if steps and steps[-1].completed_at else recorded_at %}
    {# A generic test has the relation of the node that it tests. #}
    {% set attached = graph.nodes.get(node.attached_node) if node.attached_node is defined and node.attached_node else none %}
    {{ return(reverse_etl.row(
        node.unique_id,
        node.resource_type,
        result.status,
        completed_at,
        recorded_at,
        relation_name=attached.relation_name if attached else node.relation_name,
        failures=result.failures,
        max_loaded_at=result.max_loaded_at if result.max_loaded_at is defined else none)) }}
{% endmacro %}


{% macro row(unique_id, resource_type, status, completed_at, recorded_at, relation_name=none, failures=none,
             max_loaded_at=none) %}
    {{ return({
        'unique_id': unique_id | string,
        'resource_type': resource_type | string,
        'relation_name': relation_name | string if relation_name else none,
        'status': status | string | lower,
        'failures': failures,
        'completed_at': reverse_etl.utc_text(completed_at),
        'max_loaded_at': reverse_etl.utc_text(max_loaded_at) if max_loaded_at else none,
        'without_rows': true if invocation_args_dict.get('empty') or invocation_args_dict.get('sample') else false,
        'command': invocation_args_dict.get('which') | string,
        'target_name': target.name | string,
        'invocation_id': invocation_id | string,
        'recorded_at': reverse_etl.utc_text(recorded_at),
    }) }}
{% endmacro %}


{# dbt's times have a zone or are UTC. #}
{% macro utc_text(moment) %}
    {% set utc = moment.astimezone(modules.pytz.utc) if moment.tzinfo else moment %}
    {{ return(utc.strftime('%Y-%m-%d %H:%M:%S.%f')) }}
{% endmacro %}
