"""The tables of the state, as one account and project see them: reads and writes of single tables."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from reverse_etl.domain.batched import batched
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import UsageError
from reverse_etl.state.shared_query import SharedQuery, select_together, split_rows
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.clock import Clock
    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.statement import TableName

IN_SCOPE_SQL: Final = "account_id = ? AND project = ?"  # its parameters are `StateScope.key`
ROWS_PER_STATEMENT = 1_000  # short enough to be sent and parsed at once, and few statements for many rows
# Read at many steps of a run, and written at few. Queries of rejections are of groups: results are small.
_KEPT_TABLES: Final = {"models", "lists", "runs", "run_lists", "rejections", "omissions", "comparisons"}

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


def in_scope_sql(table: str) -> str:
    """Return the condition that the rows of a table, given by its name in a query, are of a scope.

    Its parameters are `StateScope.key`.
    """
    return f"{table}.account_id = ? AND {table}.project = ?"


@contextmanager
def reading(table: str) -> Iterator[None]:
    """Report a stored value that can't be read as damage of a table. Also a decorator of what reads it."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise UsageError.of(
            f"The state is damaged: its table {table} has a value that no run writes ({error}).",
            hint="Restore the state from a backup, or correct the value: docs/state.md has the columns. "
            "Don't delete the state: a run without it removes nobody who left before.",
        ) from error


def require(value: ValueT | None) -> ValueT:
    """Return a stored value. Raises ValueError if it is NULL."""
    if value is None:
        raise ValueError("NULL in a column that always has a value")
    return value


@dataclass(frozen=True)
class StateScope:
    """The owner of a part of the state: a project and the Klaviyo account that it sends to."""

    account: str
    project: str

    @property
    def key(self) -> tuple[str, str]:
        """Return the account and the project, by which every shared table is keyed."""
        return (self.account, self.project)

    def new_table_key(self, model: str, taken: Collection[str]) -> str:
        """Return the end of the names of a new model's tables; it differs for another account or project.

        A model that was renamed keeps its tables, so that the key of its old name may be taken.
        """
        name = re.sub("[^a-z0-9]+", "_", model.lower())
        parts = ((*self.key, model, *([str(number)] if number else [])) for number in count())
        digests = (hashlib.sha256("\0".join(part).encode()).hexdigest()[:8] for part in parts)
        return next(key for digest in digests if (key := f"{name}_{digest}") not in taken)


@dataclass(frozen=True)
class _KeptValues(Generic[KeyT, ValueT]):
    """Values that were read, by key. Thread-safe: tasks that ask for one at the same time read it once."""

    values: dict[KeyT, ValueT] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _reading: dict[KeyT, Lock] = field(default_factory=dict)

    def get(self, key: KeyT, read: Callable[[], ValueT]) -> ValueT:
        """Return the value of a key, read now if it is not kept."""
        with self._lock:
            reading = self._reading.setdefault(key, Lock())
        with reading:
            if key not in self.values:
                self.values[key] = read()
            return self.values[key]


@dataclass(frozen=True)
class StateTables:
    """The state's tables in one warehouse, for the rows of one account and project.

    `read` returns rows. `insert`, `update` and `delete` return statements, for `execute` or `commit`. Their
    conditions are columns with the value that they equal, or with a list of such values; `in_scope` is the
    condition that rows are of this account and project.

    Rows of some shared tables, counts, and the columns of every table are kept once they were read, until
    they are written here. `forget_kept` is for the moment from which on no other process may write, and after
    columns were changed.

    One thread uses it, and tasks of `Warehouse.run_each` may read. Everything raises WarehouseError if the
    warehouse fails.
    """

    warehouse: Warehouse
    scope: StateScope
    clock: Clock
    _kept_rows: _KeptValues[Statement, tuple[frozenset[TableName], list[Row]]] = field(
        default_factory=_KeptValues, compare=False
    )
    _columns_by_table: _KeptValues[TableName, Mapping[str, Column]] = field(
        default_factory=_KeptValues, compare=False
    )

    @property
    def dialect(self) -> Dialect:
        """Return the SQL dialect of the warehouse."""
        return self.warehouse.dialect

    @property
    def in_scope(self) -> Mapping[str, str]:
        """Return the condition that rows are of this account and project."""
        return {"account_id": self.scope.account, "project": self.scope.project}

    def now(self) -> str:
        """Return the current time as the state stores it."""
        return format_epoch_seconds(self.clock.now())

    def read(self, table: str, columns: str, order_by: str, **equals: Any) -> list[Row]:
        """Return the rows of a shared table that fulfil a condition."""
        condition, parameters = _condition_sql(equals)
        text = (
            f"SELECT {columns} FROM {self.dialect.state_table(table)} WHERE {condition} ORDER BY {order_by}"
        )
        return self.fetch_from(Statement.read(text, parameters), table)

    def fetch_from(self, statement: Statement, *tables: str) -> list[Row]:
        """Return all rows of a query of shared tables, perhaps as they were read before."""
        return (
            self.fetch_kept(statement, *tables) if _KEPT_TABLES.issuperset(tables) else self.fetch(statement)
        )

    def fetch_kept(self, statement: Statement, *tables: str) -> list[Row]:
        """Return all rows of a small result, as read before if none of its tables was written."""
        names = frozenset(map(self.dialect.state_table, tables))
        return self._kept_rows.get(statement, lambda: (names, self.fetch(statement)))[1]

    def in_scope_query(
        self, table: str, columns: str, order_by: str, integers: tuple[int, ...] = ()
    ) -> SharedQuery:
        """Return the query of the rows of a shared table that are of this account and project."""
        source = f"FROM {self.dialect.state_table(table)} WHERE {IN_SCOPE_SQL}"
        names = tuple(columns.split(", "))
        return SharedQuery((table,), names, source, order_by, self.scope.key, integers)

    def fetch_shared(self, query: SharedQuery) -> list[Row]:
        """Return all rows of a query of shared tables, as read before if none of its tables was written."""
        return self.fetch_kept(query.statement, *query.tables)

    def read_together(self, queries: Sequence[SharedQuery]) -> None:
        """Read those results that are not kept by one statement, and keep them."""
        missing = [query for query in queries if query.statement not in self._kept_rows.values]
        if len(missing) > 1:
            rows = self.fetch(select_together(missing))
            for query, result in zip(missing, split_rows(missing, rows), strict=True):
                names = frozenset(map(self.dialect.state_table, query.tables))
                self._kept_rows.values[query.statement] = names, result

    def columns(self, table: str) -> Mapping[str, Column]:
        """Return a table's columns by name; empty if there is no such table."""
        name = self.dialect.state_table(table)
        return self._columns_by_table.get(name, lambda: self.warehouse.state_columns(table))

    def forget_kept(self) -> None:
        """Read everything again from now on."""
        self._kept_rows.values.clear()
        self._columns_by_table.values.clear()

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> tuple[Statement, ...]:
        """Insert rows that have a value for each column of a shared table, a thousand rows a statement."""
        name = self.dialect.state_table(table)
        placeholders = f"({', '.join('?' for _ in rows[0])})" if rows else ""
        return tuple(
            Statement.insert(
                name,
                f"INSERT INTO {name} VALUES {', '.join([placeholders] * len(part))}",
                tuple(value for row in part for value in row),
            )
            for part in batched(rows, ROWS_PER_STATEMENT)
        )

    def merge(self, table: str, rows: Iterable[Mapping[str, Any]], *key: str) -> tuple[Statement, ...]:
        """Insert rows by column, each in place of the one with its key, a thousand rows a statement.

        The last of several rows with one key counts. May be repeated.
        """
        name = self.dialect.state_table(table)
        by_key = {tuple(row[column] for column in key): row for row in rows}
        return tuple(_merge_rows(name, part, key) for part in batched(by_key.values(), ROWS_PER_STATEMENT))

    def update(self, table: str, changes: Mapping[str, Any], **equals: Any) -> Statement:
        """Change columns of the rows that fulfil a condition."""
        name = self.dialect.state_table(table)
        condition, parameters = _condition_sql(equals)
        text = f"UPDATE {name} SET {', '.join(f'{column} = ?' for column in changes)} WHERE {condition}"
        return Statement.change(name, text, (*changes.values(), *parameters))

    def delete(self, table: str, **equals: Any) -> Statement:
        """Delete the rows that fulfil a condition."""
        name = self.dialect.state_table(table)
        condition, parameters = _condition_sql(equals)
        return Statement.change(name, f"DELETE FROM {name} WHERE {condition}", parameters)

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows of a small result, in its order."""
        return self.warehouse.fetch(statement)

    def execute(self, *statements: Statement) -> None:
        """Run statements in turn; each is committed at once."""
        for statement in statements:
            try:
                self.warehouse.execute(statement)
            finally:
                self._forget_written(statement)

    def commit(self, statements: Iterable[Statement]) -> None:
        """Run statements in one transaction: all of them take effect, or none.

        They are made before it begins: a failing look at a missing table would end it on some warehouses. One
        statement alone is a transaction by itself; if it may not be repeated, BEGIN notices a lost session.
        """
        change = [*statements]
        if not change or (len(change) == 1 and change[0].repeatable):
            self.execute(*change)
            return
        with self.warehouse.transaction():
            self.execute(*change)

    def _forget_written(self, statement: Statement) -> None:
        """Forget what the statement may have changed."""
        if statement.table is None:
            return
        for query, (tables, _) in [*self._kept_rows.values.items()]:
            if statement.table in tables:
                self._kept_rows.values.pop(query, None)
        if statement.changes_columns:
            self._columns_by_table.values.pop(statement.table, None)


def _merge_rows(table: TableName, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> Statement:
    columns = [*rows[0]]
    names, values = ", ".join(columns), ", ".join(f"n.{column}" for column in columns)
    same_key = " AND ".join(f"s.{column} = n.{column}" for column in key)
    changes = ", ".join(f"{column} = n.{column}" for column in columns if column not in key)
    placeholders = ", ".join([f"({', '.join('?' for _ in columns)})"] * len(rows))
    return Statement.change(
        table,
        f"MERGE INTO {table} AS s USING (\n  SELECT * FROM (VALUES {placeholders}) AS v ({names})\n"
        f") AS n ON {same_key}\nWHEN MATCHED THEN UPDATE SET {changes}\n"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
        tuple(value for row in rows for value in row.values()),
    )


def _condition_sql(equals: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that columns equal a value, or one of a list of values, and its parameters."""
    tests: list[str] = []
    parameters: list[Any] = []
    for column, value in equals.items():
        values = value if isinstance(value, list) else [value]
        parameters += values
        placeholders = ", ".join("?" for _ in values)
        tests.append(f"{column} IN ({placeholders})" if isinstance(value, list) else f"{column} = ?")
    return " AND ".join(tests) or "TRUE", tuple(parameters)


def last_account(warehouse: Warehouse, project: str, destination_id: str) -> str | None:
    """Return the account of a target's last run, for a plan without a key; None before the first run."""
    table = warehouse.dialect.state_table("targets")
    text = f"SELECT account_id FROM {table} WHERE project = ? AND destination_id = ?"
    rows = warehouse.fetch(Statement.read(text, (project, destination_id)))
    return str(rows[0][0]) if rows else None
