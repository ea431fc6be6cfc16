select email, count(*) * 10 as points
from {{ ref('people') }}
group by email
