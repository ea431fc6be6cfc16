{# Record the results of this dbt command in the table `reverse_etl_dbt_results` of the target's schema.

   Called by the package's on-run-end hook. It renders to nothing, so dbt has no statement to run, and it never
   raises: if the table cannot be written, dbt's own outcome stays as it is, and a warning is logged. #}
{% macro record_results(results) %}
    {% if execute and invocation_args_dict.get('which') in reverse_etl.recorded_commands() %}
        {% set problem = adapter.dispatch('write_results', 'reverse_etl')(reverse_etl.result_rows(results)) | trim %}
        {% if problem %}
            {# Not exceptions.warn: under --warn-error it would fail the command. #}
            {% do log('[WARNING]: reverse_etl could not record the results of this command in '
                ~ reverse_etl.results_relation() ~ ': ' ~ problem ~ ' reverse-etl holds its models back until '
                ~ 'a later command is recorded.', info=true) %}
        {% endif %}
    {% endif %}
{% endmacro %}


{# Commands that build, test or check freshness. Other commands say nothing about the tables. #}
{% macro recorded_commands() %}
    {{ return(['build', 'run', 'seed', 'snapshot', 'test', 'freshness']) }}
{% endmacro %}


{% macro results_relation() %}
    {{ return(api.Relation.create(
        database=target.database, schema=target.schema, identifier='reverse_etl_dbt_results', type='table')) }}
{% endmacro %}


{# The table's columns, as (name, type) in the warehouse's own words. All times are UTC. #}
{% macro results_columns() %}
    {% set timestamp = adapter.dispatch('timestamp_type', 'reverse_etl')() %}
    {{ return([
        ('unique_id', 'VARCHAR'),
        ('resource_type', 'VARCHAR'),
        ('relation_name', 'VARCHAR'),
        ('status', 'VARCHAR'),
        ('failures', 'BIGINT'),
        ('completed_at', timestamp),
        ('max_loaded_at', timestamp),
        ('without_rows', 'BOOLEAN'),
        ('command', 'VARCHAR'),
        ('target_name', 'VARCHAR'),
        ('invocation_id', 'VARCHAR'),
        ('recorded_at', timestamp),
    ]) }}
{% endmacro %}


{% macro default__timestamp_type() %}
    {{ return('TIMESTAMP') }}
{% endmacro %}


{% macro snowflake__timestamp_type() %}
    {{ return('TIMESTAMP_NTZ') }}
{% endmacro %}
