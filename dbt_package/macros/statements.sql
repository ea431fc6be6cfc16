{% macro create_results_table() %}
    {{ return('create table if not exists ' ~ reverse_etl.results_relation() ~ ' (' ~ reverse_etl.column_definitions() ~ ')') }}
{% endmacro %}


{% macro column_definitions() %}
    {% set columns = [] %}
    {% for name, type in reverse_etl.results_columns() %}
        {% do columns.append(name ~ ' ' ~ type) %}
    {% endfor %}
    {{ return(columns | join(', ')) }}
{% endmacro %}


{# Return INSERT statements of at most 500 rows each, in the order of the rows. #}
{% macro insert_results(rows) %}
    {% set columns, statements = reverse_etl.results_columns(), [] %}
    {% for batch in rows | batch(500) %}
        {% set selects = [] %}
        {% for row in batch %}
            {% set values = [] %}
            {% for name, type in columns %}
                {% do values.append(reverse_etl.typed_literal(row[name], type)) %}
            {% endfor %}
            {% do selects.append('select ' ~ values | join(', ')) %}
        {% endfor %}
        {% do statements.append('insert into ' ~ reverse_etl.results_relation()
            ~ ' (' ~ columns | map('first') | join(', ') ~ ') ' ~ selects | join(' union all ')) %}
    {% endfor %}
    {{ return(statements) }}
{% endmacro %}


{# Return a DELETE of old results. It keeps the newest result of each node, however old that is. #}
{% macro delete_old_results() %}
    {% set kept = modules.datetime.timedelta(days=var('reverse_etl_keep_days', 120) | int) %}
    {% set limit = reverse_etl.utc_text(modules.datetime.datetime.now(modules.pytz.utc) - kept) %}
    {% set table, type = reverse_etl.results_relation(), reverse_etl.results_columns()[-1][1] %}
    {{ return('delete from ' ~ table ~ ' where recorded_at < ' ~ reverse_etl.typed_literal(limit, type)
        ~ ' and (unique_id, recorded_at) not in '
        ~ '(select unique_id, max(recorded_at) from ' ~ table ~ ' group by unique_id)') }}
{% endmacro %}


{% macro typed_literal(value, type) %}
    {% if value is none %}
        {{ return('cast(null as ' ~ type ~ ')') }}
    {% elif type == adapter.dispatch('timestamp_type', 'reverse_etl')() %}
        {{ return(adapter.dispatch('timestamp_literal', 'reverse_etl')(value, type)) }}
    {% elif value is boolean or value is number %}
        {{ return('cast(' ~ value | string | lower ~ ' as ' ~ type ~ ')') }}
    {% endif %}
    {{ return('cast(' ~ reverse_etl.text_literal(value) ~ ' as ' ~ type ~ ')') }}
{% endmacro %}


{% macro default__timestamp_literal(value, type) %}
    {{ return('cast(' ~ reverse_etl.text_literal(value) ~ ' as ' ~ type ~ ')') }}
{% endmacro %}


{# A session's TIMESTAMP_INPUT_FORMAT may be another one, so the format is named. #}
{% macro snowflake__timestamp_literal(value, type) %}
    {{ return("to_timestamp_ntz('" ~ value ~ "', 'YYYY-MM-DD HH24:MI:SS.FF6')") }}
{% endmacro %}


{% macro text_literal(value) %}
    {{ return(adapter.dispatch('text_literal', 'reverse_etl')(value | string | replace("'", "''"))) }}
{% endmacro %}


{# `text` has its quotes doubled already. #}
{% macro default__text_literal(text) %}
    {{ return("'" ~ text ~ "'") }}
{% endmacro %}


{# A backslash begins an escape there, and $$ would end the block around the statement. #}
{% macro snowflake__text_literal(text) %}
    {{ return("'" ~ text | replace('\\', '\\\\') | replace('$', '\\x24') ~ "'") }}
{% endmacro %}
