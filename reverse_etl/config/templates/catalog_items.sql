-- Catalog items. A new item is created; this model changes none.
{{ config(
    surface='request',
    unique_key=['sku'],
    append=true,
    request={
        'method': 'POST',
        'path': '/api/catalog-items',
        'body': '{"data": {
            "type": "catalog-item",
            "attributes": {
                "external_id": {{ sku }},
                "title": {{ title }},
                "description": {{ description }},
                "url": {{ url }},
                "price": {{ price }}
            }
        }}',
        'repeat': 'safe',
        'on_conflict': 'applied',
    },
) }}
select sku, title, description, url, price
from {{ ref('products') }}
