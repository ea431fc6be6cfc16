"""Each ready model works on Snowflake as it does on DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.test_request_templates import SENDERS, write_ready_model
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


# One of each kind of model. The files beside this one test the other surfaces on Snowflake, so that the other
# ready models add only their columns.
SAMPLE = {"catalog_items", "custom_object_records", "list_column", "subscriptions"}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Make a world on the Snowflake stand-in."""
    return make_world(warehouse="stand_in")


@pytest.mark.parametrize(
    "name",
    [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.long) for name in sorted(SENDERS)],
)
def test_a_ready_model_sends_its_rows_and_then_nothing(world: World, name: str) -> None:
    write_ready_model(world, name)
    SENDERS[name](world)
    writes = len(world.writes())
    assert only_list(world.run()).outcomes == {}
    assert len(world.writes()) == writes
