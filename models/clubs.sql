-- Clubs: customers who accept marketing and spend most on coffee, or most on tea. One model for two lists: the column `club` names
-- the list. A customer whose favourite changes from coffee to tea moves from one list to the other.
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
