"""The costs of runs: statements, and values read and written, counted at DuckDB's adapter."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.state.sql.members import MAX_DOCUMENT_BYTES, ListComparison, insert_members
from reverse_etl.warehouse.duckdb.adapter import DIALECT, DuckDB
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.statement import StatementKind
from tests.core.rows import BY_EMAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

ROWS = 1_000
SELECT = "select email, customer_id, first_name from people"
COLUMNS = 3  # of SELECT
WIDE_COLUMNS = 20
_OTHERS = [f"p{number}" for number in range(WIDE_COLUMNS - COLUMNS)]
WIDE_SELECT = f"select email, customer_id, first_name, {', '.join(_OTHERS)} from people"


@dataclass
class Cost:
    """Statements without those of the lease, which depend on the time; values are rows times columns.

    The rows that a query streams while requests go out are not counted: they are the change.
    """

    statements: int = 0
    read: int = 0
    written: int = 0

    def rows_read(self, columns: int = COLUMNS) -> float:
        """Return the values that were read, in copies of the model's table."""
        return round(self.read / (ROWS * columns), 1)

    def rows_written(self, columns: int = COLUMNS) -> float:
        """Return the values that were written, in copies of the model's table."""
        return round(self.written / (ROWS * columns), 1)


@contextmanager
def counting() -> Iterator[Cost]:
    """Count the statements and values of DuckDB's sessions inside."""
    cost = Cost()
    with pytest.MonkeyPatch.context() as patched:
        for name in ("execute", "fetch"):
            patched.setattr(DuckDB, name, _counted(getattr(DuckDB, name), cost))
        stream = DuckDB.stream

        def count_stream(session: DuckDB, statement: Statement, size: int) -> Iterator[list[Row]]:
            cost.statements += 1
            return stream(session, statement, size)

        patched.setattr(DuckDB, "stream", count_stream)
        yield cost


def _counted(run: Callable[[DuckDB, Statement], Any], cost: Cost) -> Callable[[DuckDB, Statement], Any]:
    def run_and_count(session: DuckDB, statement: Statement) -> Any:
        connection = session._connection
        connection.execute("SET enable_profiling = 'no_output'")
        result = run(session, statement)
        profile = json.loads(connection.get_profiling_information() or "{}")
        if '."lease"' not in statement.text:
            cost.statements += 1
            cost.read += sum(_values_read(session, operator) for operator in _operators(profile))
            cost.written += _values_written(session, statement, profile)
        return result

    return run_and_count


def _operators(profile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    below = profile.get("operator") or profile.get("children") or []
    for operator in below:
        yield operator
        yield from _operators({"children": operator.get("children", [])})


def _values_read(session: DuckDB, operator: dict[str, Any]) -> int:
    """Return the values that a scan read, without NULLs; rows of which no column is read count as one."""
    info = operator["extra_info"]
    if not operator.get("rows_scanned") or "Table" not in info:
        return 0
    columns = info.get("Projections") or "*"
    names = [columns] if isinstance(columns, str) else columns
    return _count_values(session, info["Table"], names)


def _count_values(session: DuckDB, table: object, columns: Sequence[str]) -> int:
    """Return how many values some columns have; a NULL takes no room, in either warehouse."""
    counts = ", ".join(f"COUNT({column})" for column in columns)
    return sum(session._connection.execute(f"SELECT {counts} FROM {table}").fetchone() or ())


def _values_written(session: DuckDB, statement: Statement, profile: dict[str, Any]) -> int:
    """Return the values that were written; an UPDATE writes whole rows, a DELETE only their keys.

    A NULL of a scratch table takes no room, in either warehouse: it is not counted.
    """
    if statement.table is None or statement.kind is StatementKind.DROP:
        return 0
    writers = ("CREATE_TABLE_AS", "INSERT", "UPDATE", "DELETE", "MERGE_INTO")
    for operator in _operators(profile):
        if operator["name"].removeprefix("BATCH_") in writers:
            rows = sum(child["intermediate_rows"] for child in operator["children"])
            if operator["name"] == "DELETE":
                return int(rows)
            columns = [
                row[0] for row in session._connection.execute(f"DESCRIBE {statement.table}").fetchall()
            ]
            if statement.kind is StatementKind.CREATE and statement.table.temporary:
                return _count_values(session, statement.table, [f'"{column}"' for column in columns])
            return int(rows) * len(columns)
    return 0


@dataclass(frozen=True)
class Nights:
    """The cost of a plan or a run of one model or of two: idle, or with 0.1 % added, updated and removed.

    `idle_with_malformed` has 0.1 % of malformed rows, which were there the night before. `idle_without_other`
    is the same without them; in both another model was deleted. `journaled` and `not_journaled` are the
    nights after it, changed. `with_shared` is idle, and two rows have had one id since the night before. The
    wide model has 20 columns. `skipped` is idle, and nothing was written to the warehouse.
    """

    idle_plan: Cost
    idle: Cost
    idle_without_other: Cost
    idle_with_malformed: Cost
    changed: Cost
    skipped: Cost
    two_idle: Cost
    two_changed: Cost
    not_journaled: Cost
    journaled: Cost
    without_shared: Cost
    with_shared: Cost
    wide_idle: Cost
    wide_changed: Cost

    @property
    def figures(self) -> dict[str, float]:
        """Return what is to stay small, by name."""
        further = self.two_idle.statements - self.idle.statements
        return {
            "statements, plan of one model, nothing changed": self.idle_plan.statements,
            "statements, run overhead": self.idle.statements - further,
            "statements, further model, nothing changed": further,
            "statements, further model, with changes": self.two_changed.statements - self.changed.statements,
            "statements more with 0.1 % malformed rows, nothing changed": (
                self.idle_with_malformed.statements - self.idle_without_other.statements
            ),
            "statements more with 0.2 % rows of a shared id, nothing changed": (
                self.with_shared.statements - self.without_shared.statements
            ),
            "statements more with a journal, one model with changes": (
                self.journaled.statements - self.not_journaled.statements
            ),
            "statements that store 1 M members to compare": count_member_inserts(1_000_000),
            "rows read, nothing changed": self.idle.rows_read(),
            "rows written, nothing changed": self.idle.rows_written(),
            "rows read, nothing changed, 0.1 % malformed": self.idle_with_malformed.rows_read(),
            "rows read, nothing changed, 0.2 % of a shared id": self.with_shared.rows_read(),
            "rows written, nothing changed, 0.2 % of a shared id": self.with_shared.rows_written(),
            "rows read, model skipped": self.skipped.rows_read(),
            "rows written, model skipped": self.skipped.rows_written(),
            "rows read, 0.1 % changed": self.changed.rows_read(),
            "rows written, 0.1 % changed": self.changed.rows_written(),
            "rows read of 20 columns, nothing changed": self.wide_idle.rows_read(WIDE_COLUMNS),
            "rows written of 20 columns, nothing changed": self.wide_idle.rows_written(WIDE_COLUMNS),
            "rows read of 20 columns, 0.1 % changed": self.wide_changed.rows_read(WIDE_COLUMNS),
            "rows written of 20 columns, 0.1 % changed": self.wide_changed.rows_written(WIDE_COLUMNS),
        }


def measure(world: World) -> Nights:
    """Return the costs of nights of ROWS people: one model, then another beside it."""
    world.model("members", SELECT, identifiers=BY_EMAIL)
    fill(world, night=0)
    world.run()
    idle_plan, idle = count(world.plan), count(world.run)
    fill(world, night=1)
    changed = count(world.run)
    world.profile(skip_unchanged=True)
    world.run()
    skipped = count(world.run)
    world.profile(skip_unchanged=False)
    world.model("others", SELECT, list="Others", identifiers=BY_EMAIL)
    world.run()
    two_idle = count(world.run)
    fill(world, night=2)
    two_changed = count(world.run)
    world.drop_model("others")
    world.run()
    without_other = count(world.run)
    world.sql("INSERT INTO people BY NAME SELECT 'malformed' AS email, 'c-malformed' AS customer_id")
    world.run()
    with_malformed = count(world.run)
    fill(world, night=3)
    world.run()
    changed_nights = []
    for night, settings in ((4, {}), (5, {"journal": "90d"})):
        world.profile(**settings)
        fill(world, night)
        changed_nights.append(count(world.run))
    not_journaled, journaled = changed_nights
    world.profile(journal=None)
    without_shared = count(world.run)
    world.sql(
        "UPDATE people SET customer_id = 'c-shared' WHERE email IN ('500@example.com', '501@example.com')"
    )
    world.run()
    with_shared = count(world.run)
    fill(world, night=5)
    world.model("members", WIDE_SELECT, identifiers=BY_EMAIL)
    world.run()
    wide_idle = count(world.run)
    fill(world, night=6)
    return Nights(
        idle_plan,
        idle,
        without_other,
        with_malformed,
        changed,
        skipped,
        two_idle,
        two_changed,
        not_journaled,
        journaled,
        without_shared,
        with_shared,
        wide_idle,
        count(world.run),
    )


def work_through(figures: Mapping[str, float]) -> list[str]:
    """Return the lines of a table: the values that a model of 100 M rows reads and writes, in millions.

    It has the columns of the wide model. A skipped model reads the same, however many columns it has.
    """
    rows = 100  # millions
    widths = {"nothing changed": WIDE_COLUMNS, "0.1 % changed": WIDE_COLUMNS, "model skipped": COLUMNS}
    lines = []
    for night, columns in widths.items():
        of = f" of {columns} columns" if columns == WIDE_COLUMNS else ""
        read, written = (
            figures[f"rows {verb}{of}, {night}"] * columns * rows for verb in ("read", "written")
        )
        lines.append(f"| {night} | {read:,.0f} M | {written:,.0f} M |")
    return lines


def count(call: Callable[[], object]) -> Cost:
    """Return the cost of a call."""
    with counting() as cost:
        call()
    return cost


def count_member_inserts(members: int) -> int:
    """Return the statements that store the members that `reconcile` and `adopt` read.

    A hundredth of them is encoded: all have the same length.
    """
    tables = ModelTables(DIALECT, "members", (IdentifierType.EMAIL,), (), many_lists=False)
    joined = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")
    rows = (
        (f"person{number:09}@example.com", f"+49{number:010}", None, f"{number:026}", *joined)
        for number in range(members // 100)
    )
    stored = sum(
        len(str(statement.parameters[0])) for statement in insert_members(ListComparison(tables, "L1"), rows)
    )
    return math.ceil(100 * stored / MAX_DOCUMENT_BYTES)


def fill(world: World, night: int) -> None:
    """Make the people of a night: each adds one, renames one, and lacks one."""
    others = "".join(f", 'value ' || i AS {name}" for name in _OTHERS)
    world.sql(
        "CREATE OR REPLACE TABLE people AS SELECT i || '@example.com' AS email, 'c-' || i AS customer_id, "
        f"'Ann' || if(i = 500, {night}, 0) AS first_name{others} FROM range({night}, {night + ROWS}) AS r(i)"
    )
