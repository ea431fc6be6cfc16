-- VIP customers: customers who spent more than 500. They get news about new roasts first.
{{ config(
    surface='list_memberships',
    list='VIP customers',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
    tags=['daily'],
) }}
select
    customer_id,
    email,
    first_name,
    last_name,
    lifetime_value,
    loyalty_tier
from {{ ref('customers') }}
where lifetime_value > 500
