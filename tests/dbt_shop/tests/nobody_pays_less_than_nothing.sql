select * from {{ ref('visits') }} where spent < 0
