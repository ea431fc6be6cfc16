"""The one switch that rewrites gold files, for every folder of tests."""

from __future__ import annotations

import os

import pytest

from tests.gold import OPTION, Gold


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch."""
    parser.addoption(OPTION, action="store_true", help="write gold files anew; then read the diff")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse the switch in a pipeline, where nobody reads the diff."""
    if config.getoption(OPTION) and os.environ.get("CI"):
        raise pytest.UsageError(f"{OPTION} rewrites gold files, which a pipeline (CI is set) must not do.")


@pytest.fixture(scope="session")
def gold(request: pytest.FixtureRequest) -> Gold:
    """Return what compares a text with a gold file."""
    return Gold(update=bool(request.config.getoption(OPTION)))
