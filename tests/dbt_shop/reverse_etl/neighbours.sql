-- Neighbours: what Klaviyo should know of everyone, with the last receipt straight from the till.
{{ config(
    surface='profiles',
    identifiers={'email': 'email', 'phone_e164': 'phone', 'external_id': 'person_id'},
) }}
select
    people.person_id,
    people.email,
    people.phone,
    people.city as location_city,
    max(payments.paid_on) as last_paid_on
from {{ ref('corner_shop', 'people', v=2) }} as people
left join {{ source('till', 'payments') }} as payments on people.email = lower(trim(payments.email))
group by 1, 2, 3, 4
