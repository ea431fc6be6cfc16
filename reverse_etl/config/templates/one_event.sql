-- One event a request, 3,500 a minute at most. Klaviyo drops a repeated unique_id of the same person and metric,
-- so that a request may be sent again. Flows that start with the metric start.
{{ config(
    surface='request',
    unique_key=['unique_id'],
    append=true,
    request={
        'method': 'POST',
        'path': '/api/events',
        'repeat': 'safe',
        'body': '{"data": {
            "type": "event",
            "attributes": {
                "metric": {"data": {"type": "metric", "attributes": {"name": "Returned order"}}},
                "profile": {"data": {"type": "profile", "attributes": {"email": {{ email }}}}},
                "unique_id": {{ unique_id }},
                "time": {{ returned_at }},
                "properties": {"reason": {{ reason }}}
            }
        }}',
    },
) }}
select unique_id, email, returned_at, reason
from {{ ref('returns') }}
