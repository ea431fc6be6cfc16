-- A request of your own for each row: this one creates coupons. A coupon that exists counts as applied.
-- reverse-etl debug --request request shows the first request, and sends nothing.
{{ config(
    surface='request',
    unique_key=['coupon_id'],
    append=true,
    request={
        'method': 'POST',
        'path': '/api/coupons',
        'repeat': 'safe',
        'on_conflict': 'applied',
        'body': '{"data": {
            "type": "coupon",
            "attributes": {"external_id": {{ coupon_id }}, "description": {{ description }}}
        }}',
    },
) }}
select coupon_id, description
from {{ ref('coupons') }}
