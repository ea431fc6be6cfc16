{# Return the hash by which the journal of reverse-etl names a person: of the type (email, phone_e164, external_id or
   klaviyo_profile_id) and the canonical value. `account_id` and `value` are SQL. #}
{% macro hash_identifier(account_id, type, value) %}
    {{ return(adapter.dispatch('hash_identifier', 'reverse_etl')(account_id, type, value)) }}
{% endmacro %}


{% macro default__hash_identifier(account_id, type, value) %}
    sha256(sha256({{ account_id }}) || ':{{ type }}:' || {{ value }})
{% endmacro %}


{% macro snowflake__hash_identifier(account_id, type, value) %}
    sha2(sha2({{ account_id }}, 256) || ':{{ type }}:' || {{ value }}, 256)
{% endmacro %}
