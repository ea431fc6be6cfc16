"""Mistakes in a model's file or its config()."""

from __future__ import annotations

from tests.compile.cases import MANIFEST, MODEL, PROFILE, case, model

CASES = [
    case(
        "identifiers as a list",
        model("{{ config(surface='profiles', identifiers=['email'], tags=[1]) }}\nselect email from t\n"),
    ),
    case(
        "no models",
        {"profiles.yml": PROFILE},
    ),
    case(
        "same name",
        {"profiles.yml": PROFILE, "models/a/vip.sql": MODEL, "models/b/vip.sql": MODEL},
    ),
    case(
        "no config",
        model("""\
select email from customers
"""),
    ),
    case(
        "two configs",
        model("""\
{{ config(surface='profiles') }}
{{ config(surface='profiles') }}
select email from {{ ref('customers') }}
"""),
    ),
    case(
        "jinja syntax",
        model("""\
{{ config(surface='profiles') }}
select email from {{ ref('customers') }
"""),
    ),
    case(
        "undefined",
        model("""\
{{ config(surface='profiles') }}
select email from {{ reff('customers') }}
"""),
    ),
    case(
        "this",
        model("""\
{{ config(surface='profiles') }}
select email from t
{% if is_incremental() %}
where x > (select max(x) from {{ this }})
{% endif %}
"""),
    ),
    case(
        "dbt macro",
        model("""\
{{ config(surface='profiles') }}
select email, {{ dbt_utils.star() }} from t
"""),
    ),
    case(
        "var",
        model("""\
{{ config(surface='profiles') }}
select email from t
where value > {{ var('min_valu') }}
"""),
        vars={"min_value": 1},
    ),
    case(
        "env secret",
        model("""\
{{ config(surface='profiles') }}
select email, '{{ env_var('DESTINATIONS__KLAVIYO__PRIVATE_API_KEY') }}' as k from t
"""),
    ),
    case(
        "config keys",
        model("""\
{{ config(
    surface='list_membership',
    lst='VIP',
    max_removes=2,
    identifiers={'phone': 'phone'},
    materialized='table',
) }}
select phone from t
"""),
    ),
    case(
        "a word of on_null",
        model("""\
{{ config(surface='list_memberships', list='VIP',
    on_null={'tier': 'clera'}) }}
select email, tier from t
"""),
    ),
    case(
        "a form of on_null",
        model("""\
{{ config(surface='profiles',
    on_null=['tier']) }}
select email, tier from t
"""),
    ),
    case(
        "columns of on_null",
        model("""\
{{ config(surface='profiles',
    on_null={'email': 'reject', 'teir': 'clear', 'properties': 'clear', 'tier': 'clear'}) }}
select email, tier, properties from t
"""),
    ),
    case(
        "on_null of a surface without attributes",
        model("""\
{{ config(surface='list_memberships_by_profile_id', list='VIP', on_null='clear') }}
select klaviyo_profile_id from t
"""),
    ),
    case(
        "updated_at that is not selected",
        model("""\
{{ config(surface='profiles', updated_at='updated') }}
select email, updated_at from t
"""),
    ),
    case(
        "a form of full_every",
        model("""\
{{ config(surface='profiles',
    full_every='weekly') }}
select email from t
"""),
    ),
    case(
        "updated_at that is also an identifier",
        model("""\
{{ config(surface='profiles',
    updated_at='email') }}
select email, updated_at from t
"""),
    ),
    case(
        "updated_at of a model that clears values",
        model("""\
{{ config(surface='profiles', updated_at='updated_at',
    on_null={'tier': 'clear'}) }}
select email, tier, updated_at from t
"""),
    ),
    case(
        "updated_at of a surface without it",
        model("""\
{{ config(surface='suppressions',
    updated_at='updated_at') }}
select email from t
"""),
    ),
    case(
        "a word of create",
        model("""\
{{ config(surface='profiles', create='newer') }}
select email, tier from t
"""),
    ),
    case(
        "a setting of another surface",
        model("""\
{{ config(surface='list_memberships', list='VIP',
    unique_key=['email']) }}
select email from t
"""),
    ),
    case(
        "suppressions need an email alone",
        model("""\
{{ config(surface='suppressions', identifiers={'phone_e164': 'phone'}) }}
select phone, city from t
"""),
    ),
    case(
        "deletions have no list and send no attributes",
        model("""\
{{ config(surface='profile_deletions', list='VIP') }}
select email, city from t
"""),
    ),
    case(
        "a consent needs a channel",
        model("""\
{{ config(surface='subscriptions') }}
select email, consented_at from t
"""),
    ),
    case(
        "a consent needs its time",
        model("""\
{{ config(surface='subscriptions', channel='email', consented_at_timezone='Europe/Berln') }}
select email from t
"""),
    ),
    case(
        "events need backfill and a time",
        model("""\
{{ config(surface='events', metric='Order', horizon='soon') }}
select email, unique_id from t
"""),
    ),
    case(
        "one value is allowed",
        model("""\
{{ config(surface='suppressions', on_remove='unsupress') }}
select email from t
"""),
    ),
    case(
        "no surface",
        model("""\
{{ config(list='VIP') }}
select email from t
"""),
    ),
    case(
        "no list",
        model("""\
{{ config(surface='list_memberships') }}
select email from t
"""),
    ),
    case(
        "two lists",
        model("""\
{{ config(surface='list_memberships', list='VIP', list_id='XyZ123') }}
select email from t
"""),
    ),
    case(
        "profiles list",
        model("""\
{{ config(surface='profiles', list='VIP') }}
select email from t
"""),
    ),
    case(
        "identifier col",
        model("""\
{{ config(surface='profiles', identifiers={'email': 'e_mail'}) }}
select email, name from t
"""),
    ),
    case(
        "one of two identifier cols",
        model("""\
{{ config(surface='profiles', identifiers={'email': 'emial', 'external_id': 'id'}) }}
select email, id, name from t
"""),
    ),
    case(
        "no identifier",
        model("""\
{{ config(surface='profiles') }}
select mail from t
"""),
    ),
    case(
        "list column",
        model("""\
{{ config(surface='list_memberships', list_column='club') }}
select email, clubs from t
"""),
    ),
    case(
        "reserved",
        model("""\
{{ config(surface='profiles', identifiers={'external_id': 'id'}) }}
select id, email from t
"""),
    ),
    case(
        "by id",
        model("""\
{{ config(surface='list_memberships_by_profile_id', list='VIP') }}
select klaviyo_profile_id, email, name from t
"""),
    ),
    case(
        "location",
        model("""\
{{ config(surface='profiles') }}
select email, location, city as location_city from t
"""),
    ),
    case(
        "ref",
        {
            "profiles.yml": PROFILE,
            "dbt_project.yml": "name: shop\n",
            "reverse_etl/vip.sql": MODEL.replace("customers", "custmers"),
            "target/manifest.json": MANIFEST,
        },
    ),
]
