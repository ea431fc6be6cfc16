{{ config(alias='visit_totals', schema='marts') }}
select
    email,
    count(*) as visits,
    sum(amount) as spent,
    max(paid_on) as last_visit_on
from {{ ref('stg_payments') }}
where email is not null
group by email
