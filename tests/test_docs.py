"""The documents say what is true: tables, links, and the config keys of models and destinations."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from reverse_etl.cli.output import drift
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.state.sql.schema import SHARED_TABLES, STATE_VERSION
from reverse_etl.surfaces.catalog import SURFACES
from reverse_etl.surfaces.interface import Surface

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def test_the_state_document_names_every_table_with_its_columns_in_order() -> None:
    """The tables are a contract, so the document is held against the statements that make them."""
    text = (ROOT / "docs" / "state.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .*? \| ((?:`\w+`(?:, )?)+) \|$", text, flags=re.MULTILINE)
    documented = {table: re.findall(r"`(\w+)`", columns) for table, columns in rows}
    made = {
        table: [column.split()[0] for column in columns.split(", ")]
        for table, columns in SHARED_TABLES.items()
    }
    assert documented == made
    assert f"version {STATE_VERSION}." in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


def test_the_document_of_models_lists_every_surface_by_what_it_says_of_itself() -> None:
    """A new surface, or another limit, changes the table."""
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.split("| surface | list | identifiers |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [(row[0].strip("`"), row[1], row[2], row[4]) for row in cells] == [
        (
            surface.name,
            surface.list_rule.value,
            ", ".join(surface.columns.identifiers),
            surface.upsert.proof.value,
        )
        for surface in SURFACES
    ]
    for row, surface in zip(cells, SURFACES, strict=True):
        assert surface.described_by_model or f"{surface.upsert.max_rows:,} rows a request" in row[3]
        assert ("is forgotten" in row[5]) == (surface.remove is None)


def test_the_document_of_commands_has_every_figure_of_reconcile() -> None:
    """Its table has the headings that the command prints."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.partition("## `reverse-etl reconcile`")[2].partition("\n## ")[0]
    assert {*re.findall(r"^\| `([\w ]+)` \|", section, flags=re.MULTILINE)} == {*drift._HEADINGS.values()}


def test_every_file_and_function_that_the_architecture_names_exists() -> None:
    """A name in code font that ends in `.py` is a file; "`name` in `file`" is defined there."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "reverse_etl"
    files = set(re.findall(r"`([\w/]+\.py)`", text))
    missing = {name for name in files if not any((root / name).is_file() for root in (package, ROOT))}
    assert not missing
    undefined = {
        (name, file)
        for name, file in re.findall(r"`([\w.]+)` in `([\w/]+\.py)`", text)
        if not re.search(
            rf"^\s*(def|class) {name.rpartition('.')[2]}\b|^{name}\b",
            next(path for root in (package, ROOT) if (path := root / file).is_file()).read_text("utf-8"),
            flags=re.MULTILINE,
        )
    }
    assert not undefined


def test_every_class_that_the_architecture_names_exists() -> None:
    """A name in code font that is written like a class is one, of the package or of the tests."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = [path for room in ("reverse_etl", "tests") for path in (ROOT / room).rglob("*.py")]
    classes = {
        name
        for path in files
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    named = set(re.findall(r"`(_?[A-Z]\w*[a-z]\w*)(?:\.\w+)?`", text))
    assert "QuickClock" in named
    assert named - classes == set()


def test_the_document_for_contributors_names_every_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE)) - {"help"}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert targets - set(re.findall(r"`make ([a-z-]+)", text)) == set()


def test_every_test_that_the_document_of_klaviyo_names_exists() -> None:
    text = (ROOT / "docs" / "klaviyo.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_document_of_klaviyo_has_every_endpoint_with_its_limit() -> None:
    text = (ROOT / "docs" / "klaviyo.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for endpoint in Endpoint:
        limit = f"{endpoint.rate_limit.burst}/s, {endpoint.rate_limit.steady:,}/min"
        request = f"`{endpoint.method} {endpoint.template}`"
        assert [row for row in rows if request in row and limit in row], (request, limit)


def test_the_architecture_explains_every_field_of_a_surface() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("| field | says | read by |", 1)[1].split("\n\n", 1)[0]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == {field.name for field in fields(Surface)} - {"name"}
