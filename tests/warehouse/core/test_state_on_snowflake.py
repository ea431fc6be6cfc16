"""The tests of tests/core/test_state.py, with the warehouse in Snowflake."""

from __future__ import annotations

import pytest

from reverse_etl.warehouse.snowflake import Snowflake
from tests.core import test_state
from tests.core.test_state import *  # noqa: F403 - every test of it


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test that takes the warehouse away take away Snowflake."""
    monkeypatch.setattr(test_state, "DuckDB", Snowflake)
