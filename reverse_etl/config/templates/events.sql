-- Orders as events. Each is sent once; those from before the first run start no flows.
{{ config(
    surface='events',
    metric='Placed Order',
    backfill='before_live',
) }}
select
    order_id as unique_id,
    email,
    ordered_at as time,
    total as value,
    currency as value_currency,
    channel
from {{ ref('orders') }}
