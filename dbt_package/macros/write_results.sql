{# Write the rows, and return why it was not possible, or an empty text.

   Jinja cannot catch a database's error. So each warehouse has its own way to find out before, or in the statement. #}
{% macro default__write_results(rows) %}
    {{ return('the package knows DuckDB and Snowflake, not ' ~ target.type ~ '.') }}
{% endmacro %}


{# DuckDB has no way to catch an error in SQL, so whatever can stop the statements is looked at first. #}
{% macro duckdb__write_results(rows) %}
    {% set table = reverse_etl.results_relation() %}
    {% set name = "lower(database_name) = lower(" ~ reverse_etl.text_literal(table.database) ~ ")" %}
    {% set schema = name ~ " and lower(schema_name) = lower(" ~ reverse_etl.text_literal(table.schema) ~ ")" %}
    {% set found = run_query(
        "select (select bool_or(readonly) from duckdb_databases() where " ~ name ~ "), "
        ~ "(select count(*) from duckdb_schemas() where " ~ schema ~ "), "
        ~ "(select count(*) from duckdb_views() where " ~ schema
        ~ " and lower(view_name) = " ~ reverse_etl.text_literal(table.identifier) ~ "), "
        ~ "(select string_agg(lower(column_name) || ' ' || data_type, ', ' order by column_index) from duckdb_columns() "
        ~ "where " ~ schema ~ " and lower(table_name) = " ~ reverse_etl.text_literal(table.identifier) ~ ")").rows[0] %}
    {% if found[0] %}
        {{ return('the database is attached read-only.') }}
    {% elif found[2] %}
        {{ return('a view has this name. Rename it.') }}
    {% elif found[3] and found[3] != reverse_etl.column_definitions() %}
        {{ return('a table with other columns has this name. Rename or drop it.') }}
    {% endif %}
    {% if not found[1] %}
        {% do run_query('create schema if not exists ' ~ table.include(identifier=false)) %}
    {% endif %}
    {% do run_query(reverse_etl.create_results_table()) %}
    {% for statement in reverse_etl.insert_results(rows) %}
        {% do run_query(statement) %}
    {% endfor %}
    {% do run_query(reverse_etl.delete_old_results()) %}
    {{ return('') }}
{% endmacro %}


{# On Snowflake a block catches what goes wrong and returns it. #}
{% macro snowflake__write_results(rows) %}
    {% set schema = reverse_etl.results_relation().include(identifier=false) %}
    {% set statements = [reverse_etl.create_results_table()] + reverse_etl.insert_results(rows) + [reverse_etl.delete_old_results()] %}
    {% for statement in statements %}
        {% set found = run_query(
            "execute immediate $$\nbegin\n" ~ statement ~ ";\nreturn '';\n"
            ~ "exception\nwhen other then\nreturn sqlerrm;\nend;\n$$") %}
        {% if found.rows[0][0] %}
            {{ return(found.rows[0][0] ~ ' dbt needs to create and write a table in ' ~ schema ~ '.') }}
        {% endif %}
    {% endfor %}
    {{ return('') }}
{% endmacro %}
