-- Everyone in the result joins the list. People who leave it leave the list, if this model added them.
{{ config(
    surface='list_memberships',
    list='Customers',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
) }}
with people as (
    select customer_id, email, first_name
    from {{ ref('customers') }}
)
select customer_id, email, first_name
from people
where email is not null
