"""Writes the state as SQL that rebuilds it; the same history gives the same text.

Values that differ are replaced: the nth run's id is `202001nnT050000-0000nn`, times of this machine after its
start are 06:00 of that day, and the lease's owner is always the same.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from tests.contract.normalizer import MACHINE_TIMES

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

Engine = Literal["duckdb", "snowflake"]
Row = tuple[Any, ...]
_SEMI_STRUCTURED = "VARIANT"


@dataclass(frozen=True)
class Table:
    """A table of the state: its columns' names and types, and its rows."""

    columns: tuple[tuple[str, str], ...]
    rows: Sequence[Row]

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        (index,) = [index for index, (column, _) in enumerate(self.columns) if column.lower() == name]
        return [row[index] for row in self.rows]


def state_as_sql(tables: Mapping[str, Table], engine: Engine, replacements: Mapping[str, str]) -> str:
    """Return a CREATE and an INSERT statement for each table; a row is a line, rows are sorted as text.

    `replacements` maps other texts that differ from run to run to what replaces them.
    """
    placeholders = _Placeholders.of(tables, replacements)
    return "\n".join(
        line
        for name in sorted(tables)
        for line in (*_statements(name, tables[name], engine, placeholders), "")
    )


def _statements(name: str, table: Table, engine: Engine, placeholders: _Placeholders) -> Iterator[str]:
    columns = ", ".join(f"{_quoted(column)} {type_}" for column, type_ in table.columns)
    kind, end = ("TRANSIENT ", " DATA_RETENTION_TIME_IN_DAYS = 0") if engine == "snowflake" else ("", "")
    yield f"CREATE {kind}TABLE {_quoted(name)} ({columns}){end};"
    types = [type_ for _, type_ in table.columns]
    values = [
        ", ".join(
            _literal(placeholders.replace(value), type_) for value, type_ in zip(row, types, strict=True)
        )
        for row in table.rows
    ]
    if values:
        selects = "\nUNION ALL ".join(f"SELECT {row}" for row in sorted(values))
        yield f"INSERT INTO {_quoted(name)}\n{selects};"


def split_statements(text: str) -> list[str]:
    """Return the statements of what `state_as_sql` returned."""
    return [statement for statement in text.split(";\n") if statement.strip()]


@dataclass(frozen=True)
class _Placeholders:
    """Replaces run ids, times and the lease's owner; `starts` are the starts of the runs, sorted."""

    starts: list[str]
    replacements: Mapping[str, str]

    @classmethod
    def of(cls, tables: Mapping[str, Table], replacements: Mapping[str, str]) -> _Placeholders:
        by_name = {name.lower(): table for name, table in tables.items()}
        started_at, run_ids = (by_name["runs"].column(name) for name in ("started_at", "run_id"))
        runs = sorted(zip(started_at, run_ids, strict=True))
        ids = {
            run_id: f"{_day(number):%Y%m%d}T050000-{number:06}" for number, (_, run_id) in enumerate(runs, 1)
        }
        owners = dict.fromkeys(by_name["lease"].column("owner"), "host:1:0")
        return cls([start for start, _ in runs], {**replacements, **ids, **owners})

    def replace(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for original, replacement in self.replacements.items():
            value = value.replace(original, replacement)
        return MACHINE_TIMES.sub(self._replace_time, value)

    def _replace_time(self, match: re.Match[str]) -> str:
        return f"{_day(bisect_right(self.starts, match[0])):%Y-%m-%d}T06:00:00.000Z"


def _day(number: int) -> date:
    """Return the day of the run with this number; 0 is before the first run."""
    return date(2019, 12, 31) + timedelta(days=number)


def _literal(value: Any, type_: str) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case float() if value != value:  # noqa: PLR0124 - NaN is not itself
            return "CAST('NaN' AS DOUBLE)"
        case int() | float():
            return str(value)
        case _:
            text = "'" + str(value).replace("'", "''") + "'"
            return f"PARSE_JSON({text})" if type_ == _SEMI_STRUCTURED else text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
