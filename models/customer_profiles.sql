-- Customer profiles: attributes of all customers, on any list or none. This model changes no list and removes nobody.
{{ config(
    surface='profiles',
    identifiers={'email': 'email', 'phone_e164': 'phone', 'external_id': 'customer_id'},
    tags=['daily'],
) }}
select
    customer_id,
    email,
    phone,
    first_name,
    last_name,
    city as location_city,
    country as location_country,
    signed_up_at,
    lifetime_value,
    orders,
    last_order_on,
    favourite_category,
    loyalty_tier
from {{ ref('customers') }}
