"""The documents say what is true: tables, links, and the config keys of models and destinations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reverse_etl.state.sql.schema import SHARED_TABLES, STATE_VERSION

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
    """A relative link names a file of the repository."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing
