-- Newsletter: customers who accept marketing. List membership is not consent in Klaviyo; Klaviyo manages consent separately.
{{ config(
    surface='list_memberships',
    list='Newsletter',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
    tags=['daily'],
) }}
select
    customer_id,
    email,
    first_name,
    last_name,
    city as location_city,
    country as location_country
from {{ ref('customers') }}
where accepts_marketing
