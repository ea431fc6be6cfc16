"""The text of every statement: one gold file for each function.

Text that all engines share is there once; lines that differ begin with the engine's name. Names of tables and
quoted columns are shown in one form; test_snowflake_sql.py tests how they are written.
`pytest tests/warehouse/test_sql_gold.py --update-gold` writes the files again.
"""

from __future__ import annotations

import ast
import re
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.warehouse.duckdb.adapter import DIALECT as DUCKDB
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from tests.warehouse.statement_cases import StatementCase, calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.warehouse.dialect import Dialect
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold"
PACKAGE = Path(__file__).parents[2] / "reverse_etl"
STATE, TEMP = '"STATE"', '"TEMP"'
SNOWFLAKE = SnowflakeDialect(STATE, TEMP)
_SNOWFLAKE_TABLE = re.compile(rf'({STATE}|{TEMP})\."(?:TEMP_)?(\w+)"')
_DUCKDB_TABLE = re.compile(rf'({re.escape(DUCKDB.state_schema)}|{re.escape(DUCKDB.temp_schema)})\."(\w+)"')
_UPPER_CASE_COLUMN = re.compile(r'"([A-Z_]+)"')


def show_names_alike(text: str, dialect: Dialect) -> str:
    """Return a statement with the names of tables and columns as no engine writes them."""
    table = _SNOWFLAKE_TABLE if dialect is SNOWFLAKE else _DUCKDB_TABLE

    def show_table(match: re.Match[str]) -> str:
        return f"{'temp' if match[1] == dialect.temp_schema else 'state'}.{match[2].lower()}"

    return _UPPER_CASE_COLUMN.sub(lambda match: match[0].lower(), table.sub(show_table, text))


def lines_of(case: StatementCase, dialect: Dialect) -> list[str]:
    """Return the lines of a call's statements, each statement with its parameters."""
    return [
        line
        for statement in case.statements
        for text in (
            show_names_alike(statement.text.strip(), dialect) + ";",
            *([f"-- with {statement.parameters}"] if statement.parameters else []),
        )
        for line in text.split("\n")
    ]


def merged(duckdb: list[str], snowflake: list[str]) -> Iterator[str]:
    """Yield the lines of two engines: those that they share once, the others with the engine's name."""
    for tag, *span in SequenceMatcher(None, duckdb, snowflake, autojunk=False).get_opcodes():
        ours, theirs = duckdb[span[0] : span[1]], snowflake[span[2] : span[3]]
        if tag == "equal":
            yield from ours
        else:
            yield from (f"duckdb:    {line}" for line in ours)
            yield from (f"snowflake: {line}" for line in theirs)


def file_texts() -> dict[str, str]:
    """Return the text of each gold file by its path."""
    pairs = sorted(zip(calls(DUCKDB), calls(SNOWFLAKE), strict=True), key=lambda pair: pair[0].file)
    return {
        file: "\n".join(
            f"-- {ours.function} {ours.number}\n"
            + "".join(f"{line}\n" for line in merged(lines_of(ours, DUCKDB), lines_of(theirs, SNOWFLAKE)))
            for ours, theirs in group
        )
        for file, group in groupby(pairs, key=lambda pair: pair[0].file)
    }


TEXTS = file_texts()


@pytest.mark.parametrize("file", TEXTS)
def test_a_statement_has_the_text_of_its_gold_file(file: str, gold: Gold) -> None:
    """A change of SQL is seen in a review, line by line."""
    gold.check(GOLD / file, TEXTS[file])


def test_every_statement_over_rows_has_a_gold_file() -> None:
    """Those of the dbt package's table are tested where that table is."""
    functions = {
        node.name
        for folder in ("planning", "state")
        for file in (PACKAGE / folder / "sql").glob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.returns
        if "Statement" in ast.unparse(node.returns)
    }
    assert functions - {case.function for case in calls(DUCKDB)} == {
        *("column_names", "newest_results", "recorded_invocations")
    }


def test_no_gold_file_is_left_over() -> None:
    """Each file belongs to a function."""
    assert {str(path.relative_to(GOLD)) for path in GOLD.rglob("*.sql")} == {*TEXTS}


def test_lines_that_differ_have_the_name_of_their_engine() -> None:
    """Common lines are written once."""
    assert [*merged(["a", "b", "c"], ["a", "x", "c", "d"])] == [
        *("a", "duckdb:    b", "snowflake: x", "c", "snowflake: d")
    ]
