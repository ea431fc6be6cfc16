"""The tests of tests/core/test_event_kills.py, with the warehouse in Snowflake."""

from __future__ import annotations

import pytest

from tests.core import test_event_kills
from tests.core.test_event_kills import *  # noqa: F403 - every test of it
from tests.warehouse.snowflake_world import kill_sessions


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests kill a session of Snowflake."""
    kill_sessions(monkeypatch, test_event_kills)
