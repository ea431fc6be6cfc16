"""A sandbox in memory that replies at once, and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Sandbox
from tests.sandbox.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose jobs end at once and whose requests are not counted."""
    with Sandbox(None, job_seconds=0, limits=False, account_seed="tests") as running:
        yield running


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    """Speak to that sandbox."""
    caller = Caller(sandbox)
    with caller.session:
        yield caller
