-- Win back: customers of two orders or more whose last order is between half a year and a year old. Counted from the newest order
-- that we know of, not from today's date: on a day when no orders were loaded, nobody is thought to have left.
{{ config(
    surface='list_memberships',
    list='Win back',
    identifiers={'email': 'email', 'phone_e164': 'phone', 'external_id': 'customer_id'},
    tags=['daily'],
) }}
select
    customer_id,
    email,
    phone,
    first_name,
    last_order_on,
    favourite_category
from {{ ref('customers') }}
where
    orders >= 2
    and last_order_on < (select max(ordered_on) from {{ ref('orders') }}) - 180
    and last_order_on >= (select max(ordered_on) from {{ ref('orders') }}) - 365
