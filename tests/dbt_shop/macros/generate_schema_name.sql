{# A schema of the shop's own making: `marts` is `shop_marts`, whoever builds it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else 'shop_' ~ custom_schema_name | trim }}
{%- endmacro %}
