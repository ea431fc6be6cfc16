-- One model of several lists: a column says to which list a row belongs.
{{ config(
    surface='list_memberships',
    list_column='list_name',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
) }}
with people as (
    select customer_id, email, first_name
    from {{ ref('customers') }}
)
select
    customer_id,
    email,
    first_name,
    case when email like '%@gmail.com' then 'Customers with Gmail' else 'Other customers' end as list_name
from people
where email is not null
