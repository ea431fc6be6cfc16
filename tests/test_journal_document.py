"""The journal's contract: its table, its document, the source for dbt, and the outcomes that it can have."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import yaml

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.state.sql.schema import column_names

DOCUMENT = (Path(__file__).parents[1] / "docs" / "journal.md").read_text(encoding="utf-8")
PACKAGE = files("reverse_etl")
NOT_SETTLED = {Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.NOT_SENT}


def named_in_table(header: str) -> list[str]:
    """Return the words in code of the first column of the table with this header."""
    _, _, rest = DOCUMENT.partition(f"| {header} | meaning |\n")
    rows = rest.partition("\n\n")[0].splitlines()[1:]
    return [name for row in rows for name in re.findall("`([a-z0-9_]+)`", row.split(" | ")[0])]


def test_the_table_the_document_and_the_source_of_dbt_name_the_same_columns() -> None:
    assert sorted(named_in_table("column")) == sorted(column_names("journal"))
    source = yaml.safe_load((PACKAGE / "config/templates/reverse_etl_state.yml").read_text("utf-8"))
    (journal,) = [table for table in source["sources"][0]["tables"] if table["name"] == "journal"]
    assert [column["name"] for column in journal["columns"]] == [*column_names("journal")]


def test_the_document_has_each_outcome_of_a_settled_row_and_the_statement_no_other_word() -> None:
    settled = {*Outcome} - NOT_SETTLED
    assert named_in_table("outcome") == [
        outcome for outcome in named_in_table("outcome") if outcome in settled
    ]
    assert {*named_in_table("outcome")} == settled
    statement = (PACKAGE / "state/sql/insert_journal.sql.j2").read_text("utf-8")
    written = set(re.findall("(?:THEN|ELSE) '([a-z_]+)'", statement.partition("AS pii")[0]))
    assert {Outcome.APPLIED, Outcome.REMOVED, Outcome.OPTED_OUT} < written <= settled
