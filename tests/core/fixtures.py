"""A world that many tests begin with; `world` is on DuckDB here and on Snowflake in tests/warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.rows import members_model

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.fixture
def members(world: World) -> World:
    """Make a world with the model of one list."""
    members_model(world)
    return world
