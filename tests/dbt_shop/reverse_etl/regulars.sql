-- Regulars: everyone who came in often enough of late.
{{ config(
    surface='list_memberships',
    list='regulars',
    identifiers={'email': 'email', 'external_id': 'person_id'},
    tags=['daily'],
) }}
select
    people.person_id,
    people.email,
    people.first_name,
    visits.visits,
    visits.spent
from {{ ref('people') }} as people
inner join {{ ref('visits') }} as visits on people.email = visits.email
where visits.visits >= {{ var('regular_from') }}
