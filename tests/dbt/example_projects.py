"""Two dbt projects in the form of dbt's examples: the tables and columns are theirs, the rows are not.

`jaffle_shop` is the older one: seeds, views of staging, and tables, all in one schema. `jaffle-shop` is
today's: its seeds are loaded into a schema of their own with a variable, and are read as a source. The
customers of neither have e-mails. Each has twenty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBERS = range(1, 21)


def _csv(header: str, rows: Iterable[str]) -> str:
    return "\n".join((header, *rows, ""))


JAFFLE_SHOP = {
    "dbt_project.yml": """\
name: jaffle_shop
version: "0.1"
profile: jaffle_shop
models:
  jaffle_shop:
    +materialized: table
    staging: {+materialized: view}
""",
    "seeds/raw_customers.csv": _csv("id,first_name,last_name", (f"{i},Name {i},L." for i in _NUMBERS)),
    "seeds/raw_orders.csv": _csv(
        "id,user_id,order_date,status", (f"{i},{i},2026-01-{i:02},placed" for i in _NUMBERS)
    ),
    "seeds/raw_payments.csv": _csv(
        "id,order_id,payment_method,amount", (f"{i},{i},coupon,{100 * i}" for i in _NUMBERS)
    ),
    "models/staging/stg_customers.sql": (
        "select id as customer_id, first_name, last_name from {{ ref('raw_customers') }}"
    ),
    "models/staging/stg_orders.sql": (
        "select id as order_id, user_id as customer_id, order_date, status from {{ ref('raw_orders') }}"
    ),
    "models/staging/stg_payments.sql": (
        "select id as payment_id, order_id, payment_method, amount / 100 as amount "
        "from {{ ref('raw_payments') }}"
    ),
    "models/orders.sql": """\
select order_id, customer_id, order_date, status, amount
from {{ ref('stg_orders') }} left join {{ ref('stg_payments') }} using (order_id)
""",
    "models/customers.sql": """\
select
    customer_id, first_name, last_name, min(order_date) as first_order, max(order_date) as most_recent_order,
    count(order_id) as number_of_orders, sum(amount) as customer_lifetime_value
from {{ ref('stg_customers') }} left join {{ ref('orders') }} using (customer_id)
group by all
""",
    "models/schema.yml": """\
models:
  - name: customers
    columns: [{name: customer_id, data_tests: [unique, not_null]}]
""",
}

TODAYS_JAFFLE_SHOP = {
    "dbt_project.yml": """\
name: jaffle_shop
version: "3.0.0"
profile: default
seeds:
  jaffle_shop:
    +schema: raw
    jaffle-data: {+enabled: "{{ var('load_source_data', false) }}"}
models:
  jaffle_shop:
    staging: {+materialized: view}
    marts: {+materialized: table}
""",
    "profiles.yml": """\
default:
  target: dev
  outputs:
    dev: {type: duckdb, path: jaffle.duckdb}
""",
    ".gitignore": "target/\ndbt_packages/\nlogs/\nprofiles.yml\n",
    "macros/generate_schema_name.sql": """\
{% macro generate_schema_name(custom, node) %}
{{ custom if node.resource_type == 'seed' else target.schema }}
{% endmacro %}
""",
    "seeds/jaffle-data/raw_customers.csv": _csv("id,name", (f"customer-{i},Name {i}" for i in _NUMBERS)),
    "seeds/jaffle-data/raw_orders.csv": _csv(
        "id,customer,ordered_at,store_id,order_total",
        (f"order-{i},customer-{i},2026-01-{i:02}T08:00:00,store-1,{100 * i}" for i in _NUMBERS),
    ),
    "seeds/jaffle-data/raw_stores.csv": _csv("id,name,opened_at", ["store-1,Town,2025-01-01T00:00:00"]),
    "models/staging/__sources.yml": """\
sources:
  - name: ecom
    schema: raw
    tables: [{name: raw_customers}, {name: raw_orders}, {name: raw_stores}]
""",
    "models/staging/stg_customers.sql": (
        "select id as customer_id, name as customer_name from {{ source('ecom', 'raw_customers') }}"
    ),
    "models/staging/stg_locations.sql": (
        "select id as location_id, name as location_name, opened_at from {{ source('ecom', 'raw_stores') }}"
    ),
    "models/staging/stg_orders.sql": """\
select
    id as order_id, store_id as location_id, customer as customer_id, ordered_at,
    order_total / 100 as order_total
from {{ source('ecom', 'raw_orders') }}
""",
    "models/marts/locations.sql": "select * from {{ ref('stg_locations') }}",
    "models/marts/orders.sql": "select * from {{ ref('stg_orders') }}",
    "models/marts/customers.sql": """\
select
    customer_id, customer_name, count(order_id) as count_lifetime_orders, sum(order_total) as lifetime_spend,
    case when count(order_id) > 1 then 'returning' else 'new' end as customer_type
from {{ ref('stg_customers') }} left join {{ ref('orders') }} using (customer_id)
group by all
""",
    "models/marts/customers.yml": """\
models:
  - name: customers
    columns: [{name: customer_id, data_tests: [not_null, unique]}]
""",
}
