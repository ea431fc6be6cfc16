"""Arrays that others write, and properties that go with their names, on every warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

ANN, BOB = "ann@example.com", "bob@example.com"
COLUMNS = "email VARCHAR, tags VARCHAR, gone VARCHAR, tier VARCHAR"


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse."""
    return make_world(warehouse=request.param)


def test_one_value_is_appended_another_removed_and_a_third_unset(shop: World) -> None:
    shop.new_profile(email=ANN, properties={"tags": ["other"], "gone": ["x", "y"]})
    shop.people([{"email": ANN, "tags": "b", "gone": "x", "tier": "gold"}], columns=COLUMNS)
    shop.model(
        "tagged",
        "select email, tags, gone, tier from people",
        surface="profiles",
        create="never",
        arrays={"tags": "append", "gone": "unappend"},
        on_null={"tier": "unset"},
    )
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 1}
    assert shop.person(ANN)["properties"] == {"tags": ["other", "b"], "gone": ["y"], "tier": "gold"}
    assert only_list(shop.run()).outcomes == {}
    shop.people([{"email": ANN, "tags": "c", "gone": "x", "tier": None}], columns=COLUMNS)
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 1}
    assert shop.person(ANN)["properties"] == {"tags": ["other", "b", "c"], "gone": ["y"]}
    assert only_list(shop.run()).outcomes == {}


@stand_in_is_long
def test_a_new_person_and_a_known_one_get_values_and_the_list(shop: World) -> None:
    shop.new_list()
    shop.new_profile(email=ANN, properties={"tags": ["other"]})
    shop.people([{"email": email, "tags": "a"} for email in (ANN, BOB)], columns=COLUMNS)
    shop.model("tagged", "select email, tags from people", arrays={"tags": "append"})
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 2}
    assert shop.emails() == [ANN, BOB]
    tags = [shop.person(email)["properties"]["tags"] for email in (ANN, BOB)]
    assert tags == [["other", "a"], ["a"]]
    assert only_list(shop.run()).outcomes == {}
