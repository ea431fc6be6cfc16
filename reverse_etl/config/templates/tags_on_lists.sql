-- Tags on lists. A link that leaves the model is removed; one that exists already counts as applied.
{{ config(
    surface='request',
    unique_key=['tag_id', 'list_id'],
    request={
        'method': 'POST',
        'path': '/api/tags/{{ tag_id }}/relationships/lists',
        'mode': 'grouped',
        'body': '{"data": {{ rows }}}',
        'row': '{"type": "list", "id": {{ list_id }}}',
        'repeat': 'safe',
        'on_conflict': 'applied',
    },
    on_remove={
        'method': 'DELETE',
        'path': '/api/tags/{{ tag_id }}/relationships/lists',
        'mode': 'grouped',
        'body': '{"data": {{ rows }}}',
        'row': '{"type": "list", "id": {{ list_id }}}',
        'on_not_found': 'applied',
    },
) }}
select tag_id, list_id
from {{ ref('list_tags') }}
