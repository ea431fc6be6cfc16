"""The exact messages for mistakes in a model's file or its config()."""
# ruff: noqa: E501 - a message stands on one line

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import Problem, UsageError
from tests.compile.cases import MANIFEST, MODEL, PROFILE, case, model

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

CASES = [
    case(
        "identifiers as a list",
        model("{{ config(surface='profiles', identifiers=['email'], tags=[1]) }}\nselect email from t\n"),
        Problem(
            "identifiers must be a mapping.",
            "models/vip.sql:1:31",
            "For example: identifiers={'email': 'a column'}",
        ),
        Problem("tags.0 must be text, in quotes.", "models/vip.sql:1:54"),
    ),
    case(
        "no models",
        {"profiles.yml": PROFILE},
        Problem(
            "The project has no models.", "models", "Run: reverse-etl init. Or write a model in this folder."
        ),
    ),
    case(
        "same name",
        {"profiles.yml": PROFILE, "models/a/vip.sql": MODEL, "models/b/vip.sql": MODEL},
        Problem(
            "2 models have the name vip.",
            "models/a/vip.sql and models/b/vip.sql",
            "Rename one: a model has the name of its file.",
        ),
    ),
    case(
        "no config",
        model("""\
select email from customers
"""),
        Problem(
            "The model has no config().",
            "models/vip.sql:1",
            "Write {{ config(surface='list_memberships', list='VIP customers') }} above the SELECT.",
        ),
    ),
    case(
        "two configs",
        model("""\
{{ config(surface='profiles') }}
{{ config(surface='profiles') }}
select email from {{ ref('customers') }}
"""),
        Problem("config() is called twice, first on line 1.", "models/vip.sql:2", "Remove one of them."),
    ),
    case(
        "jinja syntax",
        model("""\
{{ config(surface='profiles') }}
select email from {{ ref('customers') }
"""),
        Problem(
            "The template cannot be parsed: unexpected '}'.",
            "models/vip.sql:2",
            "Close each pair of braces: {{ expression }}, {% statement %}, {# comment #}.",
        ),
    ),
    case(
        "undefined",
        model("""\
{{ config(surface='profiles') }}
select email from {{ reff('customers') }}
"""),
        Problem(
            "reff is undefined.",
            "models/vip.sql:2",
            "Did you mean ref? Available: config, ref, source, var, env_var, target.",
        ),
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
        Problem(
            "is_incremental is not available: a model selects the whole desired state, not only new rows.",
            "models/vip.sql:3",
            "Select all rows that should exist; reverse-etl finds what changed since the last run.",
        ),
    ),
    case(
        "dbt macro",
        model("""\
{{ config(surface='profiles') }}
select email, {{ dbt_utils.star() }} from t
"""),
        Problem(
            "dbt_utils belongs to dbt and is not available in a reverse-etl model.",
            "models/vip.sql:2",
            "Move that logic into a dbt model and select from it with ref().",
        ),
    ),
    case(
        "var",
        model("""\
{{ config(surface='profiles') }}
select email from t
where value > {{ var('min_valu') }}
"""),
        Problem(
            "The variable min_valu has no value.",
            "models/vip.sql:3",
            "Did you mean min_value? Set it with --vars '{min_valu: ...}' or under vars: in dbt_project.yml, or write a default: var('min_valu', 'default').",
        ),
        vars={"min_value": 1},
    ),
    case(
        "env secret",
        model("""\
{{ config(surface='profiles') }}
select email, '{{ env_var('DESTINATIONS__KLAVIYO__PRIVATE_API_KEY') }}' as k from t
"""),
        Problem(
            "The environment variable DESTINATIONS__KLAVIYO__PRIVATE_API_KEY is secret, or profiles.yml uses it like one; the SQL of a model is shown and stored.",
            "models/vip.sql:2",
            "Use it in profiles.yml only. For a value that is no secret, use var() or another variable.",
        ),
    ),
    case(
        "config keys",
        model("""\
{{ config(
    surface='list_membership',
    lst='VIP',
    max_removes=2,
    on_null='clear',
    identifiers={'phone': 'phone'},
    materialized='table',
) }}
select phone from t
"""),
        Problem(
            "surface cannot be 'list_membership'.",
            "models/vip.sql:2:5",
            "Did you mean list_memberships? Available: profiles, list_memberships, list_memberships_by_profile_id, request.",
        ),
        Problem("phone is not an identifier type.", "models/vip.sql:6:5", "Did you mean phone_e164?"),
        Problem(
            "on_null cannot be 'clear': Klaviyo's bulk import cannot clear a field.",
            "models/vip.sql:5:5",
            "Remove on_null: a NULL leaves Klaviyo's value. To overwrite it, select a value such as ''.",
        ),
        Problem("max_removes must be at most 1.", "models/vip.sql:4:5", "It is a share: 0.1 is 10 %."),
        Problem(
            "lst is not a key of config().",
            "models/vip.sql:3:5",
            "Did you mean list? Available: surface, list, list_id, list_column, identifiers, tags, on_shared_identifier, on_null, min_rows, max_removes, max_adds, max_updates, max_rejected, max_age, enabled, description and 7 more.",
        ),
        Problem(
            "materialized is not a key of config().",
            "models/vip.sql:7:5",
            "Available: surface, list, list_id, list_column, identifiers, tags, on_shared_identifier, on_null, min_rows, max_removes, max_adds, max_updates, max_rejected, max_age, enabled, description and 7 more.",
        ),
    ),
    case(
        "no surface",
        model("""\
{{ config(list='VIP') }}
select email from t
"""),
        Problem(
            "surface is missing from config().",
            "models/vip.sql:1",
            "It can be profiles, list_memberships, list_memberships_by_profile_id, request.",
        ),
    ),
    case(
        "no list",
        model("""\
{{ config(surface='list_memberships') }}
select email from t
"""),
        Problem(
            "The surface list_memberships needs a list.",
            "models/vip.sql:1",
            "Write list='its name', list_id='its id', or list_column='a column that names it'.",
        ),
    ),
    case(
        "two lists",
        model("""\
{{ config(surface='list_memberships', list='VIP', list_id='XyZ123') }}
select email from t
"""),
        Problem("The list is named in 2 ways: list, list_id.", "models/vip.sql:1", "Keep one of them."),
    ),
    case(
        "profiles list",
        model("""\
{{ config(surface='profiles', list='VIP') }}
select email from t
"""),
        Problem(
            "The surface profiles has no list, but list is given.",
            "models/vip.sql:1",
            "Remove list, or write surface='list_memberships'.",
        ),
    ),
    case(
        "identifier col",
        model("""\
{{ config(surface='profiles', identifiers={'email': 'e_mail'}) }}
select email, name from t
"""),
        Problem(
            "The column e_mail of the identifier email is not selected.",
            "models/vip.sql:1",
            "Did you mean email? Available: email, name.",
        ),
    ),
    case(
        "one of two identifier cols",
        model("""\
{{ config(surface='profiles', identifiers={'email': 'emial', 'external_id': 'id'}) }}
select email, id, name from t
"""),
        Problem(
            "The column emial of the identifier email is not selected.",
            "models/vip.sql:1",
            "Did you mean email? Available: email, id, name.",
        ),
    ),
    case(
        "no identifier",
        model("""\
{{ config(surface='profiles') }}
select mail from t
"""),
        Problem(
            "No column identifies a person.",
            "models/vip.sql:1",
            "Write identifiers={'email': 'a column'}; the types are email, phone_e164, external_id, klaviyo_profile_id.",
        ),
    ),
    case(
        "list column",
        model("""\
{{ config(surface='list_memberships', list_column='club') }}
select email, clubs from t
"""),
        Problem(
            "The list_column club is not selected.",
            "models/vip.sql:1",
            "Did you mean clubs? Available: email, clubs.",
        ),
    ),
    case(
        "reserved",
        model("""\
{{ config(surface='profiles', identifiers={'external_id': 'id'}) }}
select id, email from t
"""),
        Problem(
            "Column email is named like an identifier, but is none.",
            "models/vip.sql:2:12",
            "Add 'email': 'email' to identifiers, or give the column another name.",
        ),
    ),
    case(
        "by id",
        model("""\
{{ config(surface='list_memberships_by_profile_id', list='VIP') }}
select klaviyo_profile_id, email, name from t
"""),
        Problem(
            "The surface list_memberships_by_profile_id knows people by klaviyo_profile_id alone.",
            "models/vip.sql:1",
            "Write identifiers={'klaviyo_profile_id': 'a column'}, or surface='list_memberships'.",
        ),
        Problem(
            "The surface list_memberships_by_profile_id sends no attributes, but column name is selected.",
            "models/vip.sql:2:35",
            "Remove the column, or write surface='list_memberships'.",
        ),
    ),
    case(
        "location",
        model("""\
{{ config(surface='profiles') }}
select email, location, city as location_city from t
"""),
        Problem(
            "Columns location and location_city both say the location.",
            "models/vip.sql:2:33",
            "Keep location (a struct), or the columns location_city and so on.",
        ),
    ),
    case(
        "ref",
        {
            "profiles.yml": PROFILE,
            "dbt_project.yml": "name: shop\n",
            "reverse_etl/vip.sql": MODEL.replace("customers", "custmers"),
            "target/manifest.json": MANIFEST,
        },
        Problem(
            "ref('custmers'): dbt's manifest has no model, seed or snapshot with that name.",
            "reverse_etl/vip.sql:2",
            "Did you mean customers? If it is new in dbt, run: dbt build",
        ),
    ),
]


@pytest.mark.parametrize(("files", "given", "problems"), CASES)
def test_a_mistake_is_explained(
    folder: Folder, files: dict[str, str], given: dict[str, Any], problems: tuple[Problem, ...]
) -> None:
    folder.write(files)
    with pytest.raises(UsageError) as caught:
        folder.compile(**given)
    assert folder.shown(caught.value) == problems
