-- "Add profiles to a list" of Klaviyo's API v2, which old connectors have. Klaviyo retired it on 2024-06-30, and it
-- is never sent. `reverse-etl debug --request legacy_list_members` shows the request, with a placeholder for the key,
-- to compare with what you had. Use surface='list_memberships', surface='list_memberships_by_profile_id', or the
-- ready model profiles_on_lists.
{{ config(
    surface='request',
    unique_key=['list_id', 'email'],
    request={
        'method': 'POST',
        'path': '/api/v2/list/{{ list_id }}/members',
        'mode': 'grouped',
        'body': '{"api_key": {{ api_key }}, "profiles": {{ rows }}}',
        'row': '{"email": {{ email }}, "first_name": {{ first_name }}}',
    },
) }}
select list_id, email, first_name
from {{ ref('list_members') }}
