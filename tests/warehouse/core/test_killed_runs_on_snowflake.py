"""The tests of tests/core/test_killed_runs.py, with the warehouse in Snowflake."""

from __future__ import annotations

import pytest

from tests.core import test_killed_runs
from tests.core.test_killed_runs import *  # noqa: F403 - every test of it
from tests.warehouse.snowflake_world import kill_sessions


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests kill sessions of Snowflake; test_short_nights_on_snowflake.py has every statement."""
    kill_sessions(monkeypatch, test_killed_runs)
    monkeypatch.setattr(test_killed_runs, "STEP", 9)
