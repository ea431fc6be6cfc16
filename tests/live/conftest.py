"""A test account: a sandbox, or, under the mark `live`, the account of RETL_LIVE_KLAVIYO_ENV."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.live.account import LiveAccount, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

LIVE_ENV = "RETL_LIVE_KLAVIYO_ENV"
LIVE = pytest.param(
    "account", marks=[pytest.mark.live, pytest.mark.enable_socket, pytest.mark.timeout(3_600)]
)


@pytest.fixture
def clock() -> QuickClock:
    """Return the time of the sandbox."""
    return QuickClock(tick=0.001)


@pytest.fixture
def sandbox(clock: QuickClock) -> Iterator[Sandbox]:
    """Run a sandbox."""
    with Sandbox(None, clock=clock, key="pk_test") as running:
        yield running


def sandbox_settings(sandbox: Sandbox) -> Settings:
    """Return the settings by which a sandbox is taken for a test account."""
    return Settings("pk_test", sandbox.account_id, "you@example.com", origin=sandbox.origin)


@pytest.fixture(params=["sandbox", LIVE])
def account(request: pytest.FixtureRequest) -> Iterator[LiveAccount]:
    """Return the account, in which nothing is left afterwards that can be deleted."""
    if request.param == "sandbox":
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        opened = LiveAccount(sandbox_settings(sandbox), request.getfixturevalue("clock"))
    else:
        opened = LiveAccount(read_settings(Path(os.environ[LIVE_ENV])), SystemClock())
    try:
        yield opened
    finally:
        opened.close()
    assert opened.left == []
