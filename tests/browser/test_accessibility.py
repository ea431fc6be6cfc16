"""axe finds no fault in any page, in light, dark, on a phone, in print; and no page is too wide."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.report.page import render_page
from reverse_etl.report.site import render_site
from tests.report.cases import KINDS, everything
from tests.sandbox.filled import fill_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reverse_etl.sandbox import Sandbox

pytestmark = [pytest.mark.pages, pytest.mark.long]

AXE = Path(os.environ.get("RETL_AXE", Path(__file__).parents[2] / ".pages/node_modules/axe-core/axe.min.js"))
PAPER = "print"
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 360, "height": 640}},
    PAPER: {
        "color_scheme": "dark",
        "viewport": {"width": 1020, "height": 700},
    },  # of a person with a dark screen
}
FIND_FAULTS = """async () => (await axe.run(document)).violations.map(
  (each) => `${each.impact}: ${each.id} at ${each.nodes.map((node) => node.target).join(", ")}`
)"""
LESSER = ("minor: ", "moderate: ")
FIND_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="session")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the documentation site, and return the addresses of its pages."""
    folder, docs = tmp_path_factory.mktemp("site"), Path(__file__).parents[2] / "docs"
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-b", "html", docs, folder], check=True)
    return sorted(page.as_uri() for page in folder.rglob("*.html"))


@pytest.fixture
def screen(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Open a page on one of the screens; its policy lets axe in."""
    context = chromium.new_context(**SCREENS[request.param], bypass_csp=True)
    page = context.new_page()
    page.emulate_media(media="print" if request.param == PAPER else "screen")
    yield page
    context.close()


def find_faults(screen: Any, address: str) -> list[str]:
    """Return what axe finds, and whether the page is wider than the screen."""
    screen.goto(address)
    screen.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = screen.evaluate(FIND_FAULTS)
    extra = screen.evaluate(FIND_WIDTH)
    return [*found, f"{extra} pixels wider than the screen"] if extra > 0 else found


@pytest.mark.parametrize("screen", SCREENS, indirect=True)
def test_the_pages_of_the_sandbox_have_no_fault(screen: Any, sandbox: Sandbox) -> None:
    fixed = ["/", "/lists", "/profiles", "/requests", "/faults", "/lists/x"]
    addresses = [*fill_sandbox(sandbox).values(), *fixed]
    faults = {address: find_faults(screen, sandbox.origin + address) for address in addresses}
    assert {address: found for address, found in faults.items() if found} == {}


@pytest.mark.parametrize("screen", SCREENS, indirect=True)
def test_the_pages_of_reports_have_no_fault(screen: Any, tmp_path: Path) -> None:
    """The page of each kind of run, with its parts opened, and the site of all runs."""
    report = everything()
    pages = {f"{kind}.html": render_page(KINDS[kind]) for kind in KINDS}
    pages |= dict(render_site([report], report.previous_runs))
    faults: dict[str, list[str]] = {}
    for name, text in pages.items():
        path = tmp_path / name
        path.write_text(text.replace("<details", "<details open"), encoding="utf-8")
        faults[name] = find_faults(screen, path.as_uri())
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("screen", SCREENS, indirect=True)
def test_the_pages_of_the_documentation_have_no_serious_fault(screen: Any, documentation: list[str]) -> None:
    """Lesser faults are the theme's."""
    assert len(documentation) > 30
    serious = {
        address: found
        for address in documentation
        if (found := [fault for fault in find_faults(screen, address) if not fault.startswith(LESSER)])
    }
    assert serious == {}
