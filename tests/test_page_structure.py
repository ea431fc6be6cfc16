"""Every page is usable by keyboard and screen reader, and readable in light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from reverse_etl.report.page import render_page
from reverse_etl.report.site import render_site
from reverse_etl.sandbox import Sandbox
from tests.page_structure import LEAST_CONTRAST, compute_contrast, find_structure_faults, read_palettes
from tests.report.cases import KINDS, everything
from tests.sandbox.filled import fill_sandbox

PALETTE = Path(__file__).parents[1] / "reverse_etl/parsing/templates/palette.css"
TEXT_COLOURS = ("ink", "soft", "ok", "pending", "warning", "error")
FAULTY = """<html><title>x</title><main><h1>One</h1><h3>Three</h3><input id=a><p id=a></p><a href="#b"></a>
<table><tr><th>no scope</th></tr></table><svg></svg><img src=x><label for=c>c</label></main></html>"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_run_has_headings_labels_and_headers(kind: str) -> None:
    assert find_structure_faults(render_page(KINDS[kind])) == []


def test_the_pages_of_the_site_have_headings_labels_and_headers() -> None:
    report = everything()
    for name, page in render_site([report], report.previous_runs):
        assert find_structure_faults(page) == [], name


def test_the_pages_of_the_sandbox_have_headings_labels_and_headers() -> None:
    """Empty, and with a list, people, consents, events, faults and requests."""
    fixed = ["/", "/lists", "/profiles", "/requests", "/faults", "/profiles/nobody", "/profiles?q=nobody"]
    with Sandbox(None, job_seconds=0, limits=False) as sandbox:
        pages = {address: load_page(sandbox, address) for address in fixed}
        filled = [*fill_sandbox(sandbox).values(), *fixed]
        pages |= {f"{address}, filled": load_page(sandbox, address) for address in filled}
    faults = {address: find_structure_faults(page) for address, page in pages.items()}
    assert {address: found for address, found in faults.items() if found} == {}


def load_page(sandbox: Sandbox, address: str) -> str:
    """Return a page of the sandbox."""
    return requests.get(sandbox.origin + address, timeout=5).text


def test_the_check_finds_each_kind_of_fault() -> None:
    assert len(find_structure_faults(FAULTY)) == 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(scheme: str) -> None:
    """Each colour of texts on each ground."""
    colours = read_palettes(PALETTE.read_text(encoding="utf-8"))[scheme]
    contrasts = {
        (text, ground): compute_contrast(colours[text], colours[ground])
        for text in TEXT_COLOURS
        for ground in ("ground", "sheet")
    }
    assert {pair: ratio for pair, ratio in contrasts.items() if ratio < LEAST_CONTRAST} == {}
    assert 20 < compute_contrast("#000000", "#ffffff") <= 21
