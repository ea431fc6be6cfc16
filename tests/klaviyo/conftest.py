"""The real client, connected to a real server on loopback."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.transport import Timeouts
from tests.clocks import QuickClock
from tests.klaviyo.server import ApiServer, DummyKey

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run a server."""
    with ApiServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def clock() -> QuickClock:
    """Make a clock on which waiting takes no time."""
    return QuickClock()


@pytest.fixture
def klaviyo(server: ApiServer, clock: QuickClock) -> Iterator[Klaviyo]:
    """Connect the real client to the server."""
    made = Klaviyo.connect(server.origin, DummyKey(), "2026-10-15", clock=clock, timeouts=Timeouts(read=2.0))
    yield made
    made.close()


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB whose session is not in UTC, so that a forgotten conversion shows."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        yield connection
