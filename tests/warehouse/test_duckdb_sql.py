"""DuckDB parses every statement, and rows are inserted in parts."""

from __future__ import annotations

import duckdb
import pytest

from reverse_etl.warehouse.duckdb.adapter import DIALECT
from tests.warehouse.recorded_statements import recording_tables
from tests.warehouse.statement_cases import grouped_cases

GROUPS = grouped_cases(DIALECT)


@pytest.mark.parametrize("group", GROUPS)
def test_duckdb_can_read_every_statement(group: str) -> None:
    """The text parses as one statement, and has a mark for each parameter."""
    for name, statement in GROUPS[group].items():
        (parsed,) = duckdb.extract_statements(statement.text)
        assert (name, len(parsed.named_parameters)) == (name, len(statement.parameters))


@pytest.mark.parametrize(
    ("rows", "statements"), [(0, []), (1, [1]), (1_000, [1_000]), (2_001, [1_000, 1_000, 1])]
)
def test_rows_are_inserted_a_thousand_at_a_time(rows: int, statements: list[int]) -> None:
    """A group without refusals is common, and is no statement."""
    given = [(str(number), "prod", "acc") for number in range(rows)]
    made = recording_tables(DIALECT)[0].insert("targets", given)
    assert [statement.text.count("(?, ?, ?)") for statement in made] == statements
    assert [value for statement in made for value in statement.parameters] == [
        v for row in given for v in row
    ]
