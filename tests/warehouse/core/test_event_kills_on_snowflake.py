"""The tests of tests/core/test_event_kills.py, with the warehouse in Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.state import LEASE_SECONDS
from reverse_etl.warehouse.snowflake import Snowflake
from tests.core import test_event_kills
from tests.core.test_event_kills import *  # noqa: F403 - every test of it

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests kill a session of Snowflake. The lease of a dead run has to end before the next run."""
    monkeypatch.setattr(test_event_kills, "DuckDB", Snowflake)
    dies_at_statement = test_event_kills.dies_at_statement

    def dies_and_is_waited_for(world: World, nth: int, patch: pytest.MonkeyPatch) -> bool:
        died = dies_at_statement(world, nth, patch)
        world.wait(LEASE_SECONDS + 60.0)
        return died

    monkeypatch.setattr(test_event_kills, "dies_at_statement", dies_and_is_waited_for)
