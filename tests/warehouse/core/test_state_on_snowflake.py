"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world.
"""

from __future__ import annotations

import pytest

from reverse_etl.warehouse.snowflake import Snowflake
from tests.core import test_state
from tests.core.test_state import *  # noqa: F403 - every test of it

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test that takes the warehouse away take away Snowflake."""
    monkeypatch.setattr(test_state, "DuckDB", Snowflake)
