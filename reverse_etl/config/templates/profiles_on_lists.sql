-- Profiles that exist, added to lists by id. It changes who is on a list, so that each run needs
-- --allow-request profiles_on_lists. surface='list_memberships_by_profile_id' also removes, and checks more.
{{ config(
    surface='request',
    unique_key=['list_id', 'profile_id'],
    unsafe=true,
    request={
        'method': 'POST',
        'path': '/api/lists/{{ list_id }}/relationships/profiles',
        'mode': 'grouped',
        'max_rows': 1000,
        'body': '{"data": {{ rows }}}',
        'row': '{"type": "profile", "id": {{ profile_id }}}',
        'repeat': 'safe',
    },
) }}
select list_id, profile_id
from {{ ref('list_profiles') }}
