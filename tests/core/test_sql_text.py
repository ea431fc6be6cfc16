"""The text of every statement on DuckDB, as it is: a change of the SQL is seen in a review, and meant.

`pytest tests/core/test_sql_text.py --update-gold` writes the files anew.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.warehouse.duckdb.adapter import DIALECT
from tests.warehouse.statement_cases import cases, recording_tables

if TYPE_CHECKING:
    from reverse_etl.warehouse.statement import Statement
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold"


def written() -> dict[str, str]:
    """Return the text of each gold file, by its name.

    A statement with its name above and its parameters below.
    """

    def file_of(case: tuple[str, Statement]) -> str:
        return case[0].split()[0].split(".")[0] + ".sql"

    return {
        file: "\n".join(
            f"-- {name}\n{statement.text};\n"
            + (f"-- with {statement.parameters}\n" if statement.parameters else "")
            for name, statement in group
        )
        for file, group in groupby(sorted(cases(DIALECT), key=file_of), key=file_of)
    }


FILES = written()


@pytest.mark.parametrize("file", FILES)
def test_a_statement_is_the_text_of_its_gold_file(file: str, gold: Gold) -> None:
    """The difference is shown line by line."""
    gold.check(GOLD / file, FILES[file])


def test_no_gold_file_is_left_over() -> None:
    """Each file is some module's."""
    assert {path.name for path in GOLD.iterdir()} == {*FILES}


@pytest.mark.parametrize("case", [pytest.param(statement, id=name) for name, statement in cases(DIALECT)])
def test_duckdb_can_read_every_statement(case: Statement) -> None:
    """The text parses as one statement, and has a mark for each parameter."""
    (parsed,) = duckdb.extract_statements(case.text)
    assert len(parsed.named_parameters) == len(case.parameters)


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
