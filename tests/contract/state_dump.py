"""A state as SQL: statements that make its tables and rows again, the same for the same history.

What differs each time gets one value: the nth run has the id `202001nnT050000-0000nn`, this machine's times
after its start are 06:00 of that day, and the lease has one owner.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from tests.contract.plain import MACHINE_TIME

if TYPE_CHECKING:
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
        (index,) = [i for i, (each, _) in enumerate(self.columns) if each.lower() == name]
        return [row[index] for row in self.rows]


def written(tables: Mapping[str, Table], engine: Engine, names: Mapping[str, str]) -> str:
    """Return a state as statements, with a line for each row, in an order that no warehouse decides.

    A statement ends a line. `names` are other texts that differ each time, with what replaces them.
    """
    even = _Even.of(tables, names)
    return "\n".join(
        line for name in sorted(tables) for line in (*_statements(name, tables[name], engine, even), "")
    )


def _statements(name: str, table: Table, engine: Engine, even: _Even) -> Iterator[str]:
    columns = ", ".join(f"{_quoted(column)} {type_}" for column, type_ in table.columns)
    kind, end = ("TRANSIENT ", " DATA_RETENTION_TIME_IN_DAYS = 0") if engine == "snowflake" else ("", "")
    yield f"CREATE {kind}TABLE {_quoted(name)} ({columns}){end};"
    types = [type_ for _, type_ in table.columns]
    values = [
        ", ".join(_literal(even.value(value), type_) for value, type_ in zip(row, types, strict=True))
        for row in table.rows
    ]
    if values:
        selects = "\nUNION ALL ".join(f"SELECT {each}" for each in sorted(values))
        yield f"INSERT INTO {_quoted(name)}\n{selects};"


def statements(text: str) -> list[str]:
    """Return the statements of what `written` returned."""
    return [each for each in re.split(r";\n", text) if each.strip()]


@dataclass(frozen=True)
class _Even:
    """When the runs of a state started, and what stands for texts that differ."""

    starts: list[str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, tables: Mapping[str, Table], names: Mapping[str, str]) -> _Even:
        named = {name.lower(): table for name, table in tables.items()}
        begun = sorted(zip(*(named["runs"].column(name) for name in ("started_at", "run_id")), strict=True))
        runs = {run_id: f"{_day(n):%Y%m%d}T050000-{n:06}" for n, (_, run_id) in enumerate(begun, 1)}
        owners = dict.fromkeys(named["lease"].column("owner"), "host:1:0")
        return cls([start for start, _ in begun], {**names, **runs, **owners})

    def value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for name, replacement in self.names.items():
            value = value.replace(name, replacement)
        return MACHINE_TIME.sub(self._time, value)

    def _time(self, found: re.Match[str]) -> str:
        return f"{_day(bisect_right(self.starts, found[0])):%Y-%m-%d}T06:00:00.000Z"


def _day(number: int) -> date:
    """Return the day of a run; of what was before the first, the day before."""
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
