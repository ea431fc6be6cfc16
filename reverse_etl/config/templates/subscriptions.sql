-- E-mail consent with the time at which people gave it. Nobody is subscribed over an opt-out.
{{ config(
    surface='subscriptions',
    channel='email',
    list='Newsletter',
) }}
select email, consented_at
from {{ ref('newsletter_consents') }}
