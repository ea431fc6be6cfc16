select lower(trim(email)) as email
from {{ source('loyalty', 'cards') }}
