# ruff: noqa: E501 - a model or a message is one line
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.project_models import ProjectModels
from reverse_etl.models.selection import select_models

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from tests.compile.conftest import Folder

MODELS = {
    "models/daily/vip.sql": "surface='list_memberships', list='VIP customers', tags=['daily', 'money']",
    "models/daily/vip_old.sql": "surface='list_memberships', list_id='XyZ123', tags=['daily']",
    "models/weekly/clubs.sql": "surface='list_memberships', list_column='club', tags=['weekly']",
    "models/people.sql": "surface='profiles', tags=['weekly', 'money']",
}


@pytest.fixture
def models(project: Folder) -> tuple[Model, ...]:
    """Four compiled models."""
    project.write(
        {path: f"{{{{ config({config}) }}}}\nselect email, club from t" for path, config in MODELS.items()}
    )
    return project.compile()


@pytest.mark.parametrize(
    ("chosen", "excluded", "expected"),
    [
        ([], [], "clubs people vip vip_old"),
        (["vip"], [], "vip"),
        (["vip*"], [], "vip vip_old"),
        (["people", "clubs"], [], "clubs people"),
        (["people clubs"], [], "clubs people"),
        (["models/daily"], [], "vip vip_old"),
        (["./models/daily/"], [], "vip vip_old"),
        (["models/daily/*"], [], "vip vip_old"),
        (["models/weekly/clubs.sql"], [], "clubs"),
        (["path:models"], [], "clubs people vip vip_old"),
        (["name:v*"], [], "vip vip_old"),
        (["tag:daily"], [], "vip vip_old"),
        (["tag:da*"], [], "vip vip_old"),
        (["tag:daily", "tag:weekly"], [], "clubs people vip vip_old"),
        (["tag:daily,tag:money"], [], "vip"),
        (["tag:money,surface:profiles", "clubs"], [], "clubs people"),
        (["surface:list_memberships"], [], "clubs vip vip_old"),
        (["list:VIP customers"], [], "vip"),
        (["list:VIP customers,tag:money"], [], "vip"),
        (["tag:weekly list:VIP customers"], [], "clubs people vip"),
        (["list:XyZ123"], [], "vip_old"),
        (["list:club"], [], "clubs"),
        ([], ["vip"], "clubs people vip_old"),
        ([], ["tag:daily", "people"], "clubs"),
        (["tag:money"], ["vip*"], "people"),
    ],
)
def test_models_are_chosen_as_in_dbt(
    models: tuple[Model, ...], chosen: list[str], excluded: list[str], expected: str
) -> None:
    """Arguments add up, commas narrow, --exclude takes away; the order is the models'."""
    assert " ".join(model.name for model in select_models(models, chosen, excluded)) == expected


@pytest.mark.parametrize(
    ("chosen", "excluded", "problems"),
    [
        (
            ["vipp"],
            [],
            [
                Problem(
                    "No model matches vipp.",
                    "--select",
                    "Did you mean vip? Available: clubs, people, vip, vip_old.",
                )
            ],
        ),
        (
            ["tag:dayly", "vip"],
            ["list:VIP"],
            [
                Problem(
                    "No model matches tag:dayly.",
                    "--select",
                    "Did you mean tag:daily? Available: tag:weekly, tag:money, tag:daily.",
                ),
                Problem(
                    "No model matches list:VIP.",
                    "--exclude",
                    "Did you mean list:VIP customers? Available: list:club, list:VIP customers, list:XyZ123.",
                ),
            ],
        ),
        (
            ["tags:daily"],
            [],
            [
                Problem(
                    "No model matches tags:daily.",
                    "--select",
                    "tags: is not a selection method. Did you mean tag:? Available: name:, path:, tag:, list:, surface:.",
                )
            ],
        ),
        (
            ["+vip"],
            [],
            [
                Problem(
                    "No model matches +vip.",
                    "--select",
                    "Write + at the end: dbt_model+ selects all models that depend on dbt_model.",
                )
            ],
        ),
        (
            ["tag:daily,people"],
            [],
            [
                Problem(
                    "No model matches all of tag:daily, people.",
                    "--select",
                    "To match any of them, separate them by blanks, not commas.",
                )
            ],
        ),
        (
            ["vip"],
            ["tag:daily"],
            [Problem("All selected models are excluded.", "--exclude", "Exclude fewer models.")],
        ),
    ],
)
def test_a_selector_that_matches_nothing_is_an_error(
    models: tuple[Model, ...], chosen: list[str], excluded: list[str], problems: list[Problem]
) -> None:
    with pytest.raises(UsageError) as caught:
        select_models(models, chosen, excluded)
    assert list(caught.value.problems) == problems


def test_selectors_and_names_need_no_parsed_sql(project: Folder) -> None:
    """Name, list and traits of a model are the same before its SQL is parsed, also if it is broken."""
    config = (
        "{{ config(surface='list_memberships', list='VIP', tags=['daily'], identifiers={'email': 'email'}) }}"
    )
    project.write(
        {
            "models/good.sql": f"{config}\nselect email from {{{{ ref('people') }}}}",
            "models/broken.sql": f"{config}\nselect email from from",
            "models/without_config.sql": "select 1",
            "models/off.sql": "{{ config(surface='profiles', enabled=false) }} select 1 as email",
            "models/deep/good.sql": f"{config}\nselect email from {{{{ ref('others') }}}}",
        }
    )
    models = ProjectModels(project.path, project.load(), None, {}, {})
    known, compiled = (
        [
            (model.name, model.path, model.traits, model.list_target, model.list_aspect)
            for model in models_found
        ]
        for models_found in (models.known, models.all)
    )
    assert known == compiled
    assert [name for name, *_ in known] == ["broken", "good", "good", "without_config"]
