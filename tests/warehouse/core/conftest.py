"""The core's tests with the warehouse in Snowflake: each file here has the tests of a file of tests/core.

`world` is another one here. Tests that look into DuckDB's files or session stay there. All take minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.core.fixtures import members  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
OWN_MARKS = {
    "test_convergence_on_snowflake.py",
    "test_short_nights_on_snowflake.py",
    "test_surface_port_on_snowflake.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the tests as long before a selection by marks."""
    for item in items:
        if item.path.parent == HERE and item.path.name not in OWN_MARKS:
            item.add_marker(pytest.mark.long)
