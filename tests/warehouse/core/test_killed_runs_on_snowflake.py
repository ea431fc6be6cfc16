"""The tests of tests/core/test_killed_runs.py, with the warehouse in Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.state import LEASE_SECONDS
from reverse_etl.warehouse.snowflake import Snowflake
from tests.core import test_killed_runs
from tests.core.test_killed_runs import *  # noqa: F403 - every test of it

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests that kill a run between two statements kill one of Snowflake's sessions.

    Nobody there can tell that its run is dead, so its lease has to end before the next run may begin.
    """
    monkeypatch.setattr(test_killed_runs, "DuckDB", Snowflake)
    dies_at = test_killed_runs.dies_at

    def dies_and_is_waited_for(world: World, nth: int, patch: pytest.MonkeyPatch) -> bool:
        died = dies_at(world, nth, patch)
        world.wait(LEASE_SECONDS + 60.0)
        return died

    monkeypatch.setattr(test_killed_runs, "dies_at", dies_and_is_waited_for)
