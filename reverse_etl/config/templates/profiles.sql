-- Each row is a person's profile, with all columns as properties. No list changes, and nobody is removed.
{{ config(
    surface='profiles',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
) }}
with people as (
    select customer_id, email, first_name
    from {{ ref('customers') }}
)
select customer_id, email, first_name
from people
where email is not null
