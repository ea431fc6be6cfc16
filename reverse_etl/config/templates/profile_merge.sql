-- Profiles that are the same person: `source_id` is merged into `destination_id`, and ends. It can't be undone.
{{ config(
    surface='request',
    unique_key=['source_id', 'destination_id'],
    append=true,
    max_requests=100,
    request={
        'method': 'POST',
        'path': '/api/profile-merge',
        'body': '{"data": {
            "type": "profile-merge",
            "id": {{ destination_id }},
            "relationships": {"profiles": {"data": [{"type": "profile", "id": {{ source_id }}}]}}
        }}',
        'on_not_found': 'applied',
    },
) }}
select source_id, destination_id
from {{ ref('duplicate_profiles') }}
