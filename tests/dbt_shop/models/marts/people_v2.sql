select person_id, email, phone, first_name, city
from {{ ref('stg_people') }}
