"""A real browser. `make test-pages` installs what these tests need beside it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PATIENCE_MILLISECONDS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Run chromium, which RETL_CHROMIUM names."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only these tests have it

    path = os.environ.get("RETL_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose jobs end at once and whose requests are not counted."""
    with Sandbox(None, job_seconds=0, limits=False, account_seed="tests") as running:
        yield running


@pytest.fixture
def page(chromium: Any, sandbox: Sandbox) -> Iterator[Any]:
    """Open a page, whose script may report no error, and whose policy may have refused nothing."""
    context = chromium.new_context(base_url=sandbox.origin, viewport={"width": 1200, "height": 700})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text) if "Policy" in message.text else None)
    yield opened
    context.close()
    assert faults == []
