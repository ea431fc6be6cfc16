select person_id, email, first_name
from {{ ref('stg_people') }}
