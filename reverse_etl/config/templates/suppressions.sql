-- E-mail addresses that get no marketing mail at all, whatever their consent. With on_remove='unsuppress',
-- a person whose row leaves is unsuppressed again, if this model suppressed them.
{{ config(
    surface='suppressions',
) }}
select email
from {{ ref('blocked_addresses') }}
