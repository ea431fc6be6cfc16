-- People that Klaviyo deletes for good, with their events. It can't be undone. Each run that deletes needs
-- --allow-deletes profile_deletions. Keep the row here as long as the person must not be sent again.
{{ config(
    surface='profile_deletions',
) }}
select email
from {{ ref('erasure_requests') }}
