-- Sent as it stands: its YAML says so.
select
    email,
    spent as total_spent,
    last_visit_on,
    spent > 20 as big_spender
from {{ ref('visits') }}
