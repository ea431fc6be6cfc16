-- Clubs: people who have ticked the box and spend most on coffee, or most on tea. One model for both lists: the `club` column
-- names the list, and whoever takes to tea leaves the one and joins the other.
{{ config(
    surface='list_memberships',
    list_column='club',
    identifiers={'email': 'email', 'external_id': 'customer_id'},
    tags=['weekly'],
) }}
select
    customer_id,
    email,
    first_name,
    last_order_on,
    case favourite_category when 'coffee' then 'Coffee club' else 'Tea club' end as club
from {{ ref('customers') }}
where
    accepts_marketing
    and favourite_category in ('coffee', 'tea')
