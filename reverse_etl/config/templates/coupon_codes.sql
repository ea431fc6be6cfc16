-- Coupon codes in bulk. Each code is created once: a code that is known is never sent again.
{{ config(
    surface='request',
    unique_key=['coupon', 'code'],
    append=true,
    request={
        'method': 'POST',
        'path': '/api/coupon-code-bulk-create-jobs',
        'mode': 'many',
        'max_rows': 1000,
        'body': '{"data": {
            "type": "coupon-code-bulk-create-job",
            "attributes": {"coupon-codes": {"data": {{ rows }}}}
        }}',
        'row': '{
            "type": "coupon-code",
            "attributes": {"unique_code": {{ code }}, "expires_at": {{ expires_at }}},
            "relationships": {"coupon": {"data": {"type": "coupon", "id": {{ coupon }}}}}
        }',
    },
) }}
select coupon, code, expires_at
from {{ ref('coupon_codes') }}
