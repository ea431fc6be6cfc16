-- Win back: customers with at least two orders whose last order is half a year to a year old. Age counts from the newest order in
-- the table, not from today's date: if a day's orders were not loaded, the list does not change.
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
