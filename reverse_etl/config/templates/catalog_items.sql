-- Catalog items. A new item is created, a changed one updated, and one that leaves the model unpublished.
{{ config(
    surface='request',
    unique_key=['sku'],
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
        'on_conflict': 'update',
    },
    on_update={
        'method': 'PATCH',
        'path': '/api/catalog-items/$custom:::$default:::{{ sku }}',
        'body': '{"data": {
            "type": "catalog-item",
            "id": {{ "$custom:::$default:::" ~ sku }},
            "attributes": {
                "title": {{ title }},
                "description": {{ description }},
                "url": {{ url }},
                "price": {{ price }}
            }
        }}',
        'on_not_found': 'create',
    },
    on_remove={
        'method': 'PATCH',
        'path': '/api/catalog-items/$custom:::$default:::{{ sku }}',
        'body': '{"data": {
            "type": "catalog-item",
            "id": {{ "$custom:::$default:::" ~ sku }},
            "attributes": {"published": false}
        }}',
        'on_not_found': 'applied',
    },
) }}
select sku, title, description, url, price
from {{ ref('products') }}
