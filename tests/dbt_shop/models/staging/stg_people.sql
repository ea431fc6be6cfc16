select
    person_id,
    lower(trim(email)) as email,
    phone,
    first_name,
    city
from {{ ref('raw_people') }}
