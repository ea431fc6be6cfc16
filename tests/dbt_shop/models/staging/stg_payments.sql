select
    receipt_id,
    lower(trim(email)) as email,
    amount,
    paid_on
from {{ source('till', 'payments') }}
