"""The Snowflake adapter; the state is in a schema of its own.

Scratch tables are TEMPORARY tables of that schema. In a plan before the first run the state's tables are
temporary too, so that the plan leaves nothing behind.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, nullcontext, suppress
from copy import copy
from dataclasses import replace
from functools import partial
from threading import Event, local
from typing import TYPE_CHECKING, Any

from reverse_etl.config.target import NO_WAREHOUSE_OPTIONS, WarehouseOptions
from reverse_etl.domain.columns import Column
from reverse_etl.errors import SessionLost, WarehouseError, WarehouseUnavailable
from reverse_etl.warehouse.dialect import RESERVED_PREFIX, Dialect
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from reverse_etl.warehouse.snowflake.errors import MISSING_OBJECT_CODES
from reverse_etl.warehouse.snowflake.location import SnowflakeLocation, resolve_location
from reverse_etl.warehouse.snowflake.relation_facts import read_last_changes, read_relation_facts
from reverse_etl.warehouse.snowflake.session import Session
from reverse_etl.warehouse.snowflake.tasks import count_threads, run_tasks
from reverse_etl.warehouse.snowflake.types import to_column
from reverse_etl.warehouse.statement import Statement, StatementKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.warehouse.interface import ResultT, Row
    from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
    from reverse_etl.warehouse.snowflake.client import Cursor
    from reverse_etl.warehouse.statement import TableName

_QUOTED_OR_PLACEHOLDER = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\?""")


class Snowflake:
    """A session with a Snowflake warehouse, replaced when it ends. Implements `warehouse.Warehouse`."""

    opening_notes: tuple[str, ...] = ()
    single_writer = False
    min_write_interval = 180.0  # a warehouse runs, and costs, for at least a minute after each write

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        read_only: bool,
        options: WarehouseOptions = NO_WAREHOUSE_OPTIONS,
        threads: int | None = None,
    ) -> None:
        """Sign in with the settings of a dbt-snowflake output, and find or create the state's schema.

        With `read_only`, create nothing that lasts. `threads` is the number of tasks that run at the same
        time, by default the output's.
        """
        tag = {"tag": str(settings["query_tag"])} if settings.get("query_tag") else {}
        self._thread_values = _ThreadValues({"app": "reverse_etl"} | tag)
        self._threads = threads or count_threads(settings)
        self.read_only = read_only
        self._sending_warehouse = options.sending_warehouse
        self._session = Session(settings)
        try:
            self.dialect = self._build_dialect(settings, options)
        except BaseException:
            self.close()
            raise

    def execute(self, statement: Statement) -> None:
        """Run one statement."""
        with self._open_cursor(statement):
            pass

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows."""
        with self._open_cursor(statement) as cursor, self._session.translate_read_errors(statement):
            return [tuple(row) for row in cursor.fetchall()]

    def stream(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """Yield rows as the connector brings their chunks.

        The result stays at Snowflake, so other statements can run in between.
        Raises SessionLost if the rest of it is lost.
        """
        with self._open_cursor(statement) as cursor:
            while True:
                with self._session.translate_read_errors(statement):
                    rows = [tuple(row) for row in cursor.fetchmany(size)]
                if not rows:
                    return
                yield rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the statements inside together, in one session."""
        with self._session.transaction(self._thread_values.query_tag):
            yield

    def schema_transaction(self) -> AbstractContextManager[None]:
        """Do nothing: each CREATE commits."""
        return nullcontext()

    def run_each(self, tasks: Sequence[Callable[[], ResultT]]) -> Iterator[ResultT]:
        """Run as many tasks at the same time as the output has `threads`, all of them in this session."""
        if self._threads == 1 or len(tasks) <= 1:
            return (task() for task in tasks)
        tag = self._thread_values.query_tag

        def run_in_thread(task: Callable[[], ResultT], stop: Event) -> ResultT:
            self._thread_values.query_tag, self._thread_values.stop = tag, stop
            return task()

        own_tasks = [partial(run_in_thread, task) for task in tasks]
        return run_tasks(own_tasks, self._threads, self._session.cancel_statements)

    @contextmanager
    def staging(self) -> Iterator[None]:
        """Do nothing: the role can always read the sources."""
        yield

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Run the statements inside in the warehouse `sending_warehouse`, if there is one."""
        if not self._sending_warehouse:
            yield
            return
        with self._session.use_warehouse(self._sending_warehouse, self._thread_values.query_tag):
            yield

    @contextmanager
    def second_session(self) -> Iterator[Snowflake]:
        """Sign in once more."""
        other = copy(self)
        with closing(self._session.open_second()) as session:
            other._session = session  # noqa: SLF001 - of this class
            yield other

    def max_sort_rows(self, rows: int) -> int:
        """Return all: Snowflake sorts in its own memory and stores the result."""
        return rows

    def set_query_tag(self, **tags: str) -> None:
        """Add tags to the QUERY_TAG of all following statements."""
        self._thread_values.query_tag = {**self._thread_values.query_tag, **tags}

    def describe(self, select: str) -> tuple[Column, ...]:
        """Return a query's columns as Snowflake compiles it."""
        statement = Statement.read(
            f"\n{select}"
        )  # the query begins on a line of its own, as when it is staged
        return tuple(to_column(description) for description in self._session.describe(statement))

    def state_columns(self, table: str) -> Mapping[str, Column]:
        """Return a state table's columns, our own in lower case; empty if there is no table."""
        name = self.dialect.state_table(table)
        try:
            columns = self.describe(f"SELECT * FROM {name}")
        except WarehouseError as error:
            if getattr(error.__cause__, "errno", None) not in MISSING_OBJECT_CODES:
                raise
            self._session.refuse_lost(name)
            return {}
        columns_by_name = (
            (_lower_reserved_name(output_column.name), output_column) for output_column in columns
        )
        return {
            name: Column(name, output_column.kind, output_column.type)
            for name, output_column in columns_by_name
        }

    def read_relation_facts(self, names: Sequence[RelationName]) -> Mapping[RelationName, RelationFacts]:
        """Return the facts of tables and views from the information schema and from Snowflake's tokens."""
        if not names:
            return {}
        ((database, schema),) = self.fetch(Statement.read("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()"))
        return read_relation_facts(self.fetch, names, str(database or ""), str(schema or ""))

    def read_state_versions(self, tables: Sequence[TableName]) -> Sequence[str] | None:
        """Return the tokens of the tables, each of which could be restored by itself."""
        try:
            tokens = read_last_changes(self.fetch, [str(table) for table in tables])
        except (SessionLost, WarehouseUnavailable):
            raise
        except WarehouseError:
            return None
        return tokens if all(tokens) else None

    def back_up_state(self, tables: Sequence[str], label: str) -> str:
        """Clone the tables in their schema, and return the prefix of the clones' names.

        A clone costs nothing until one of the two changes ("CREATE <object> ... CLONE").
        """
        prefix = f"backup_{label}_"
        for table in tables:
            clone = self.dialect.state_table(f"{prefix}{table}")
            self.execute(
                Statement.create(
                    clone, f"CREATE TRANSIENT TABLE {clone} CLONE {self.dialect.state_table(table)}"
                )
            )
        return prefix.upper()

    def copy_state(self, tables: Sequence[str]) -> None:
        """Copy the tables to temporary ones, and use those."""
        copied = replace(self.dialect, persistent=False)
        for table in tables:
            select = f"SELECT * FROM {self.dialect.state_table(table)}"
            self.execute(copied.replace_state_table(table, select, repeatable=True))
        self.dialect = copied

    def close(self) -> None:
        """Log out, which ends temporary tables."""
        self._session.close()

    @contextmanager
    def _open_cursor(self, statement: Statement) -> Iterator[Cursor]:
        self._check_allowed(statement)
        if statement.kind is StatementKind.CREATE:
            statement = inline_parameters(statement, self.dialect)
        cursor = self._session.execute(statement, self._thread_values.query_tag)
        try:
            yield cursor
        finally:
            with suppress(Exception):  # the result is gone in any case
                cursor.close()

    def _check_allowed(self, statement: Statement) -> None:
        """Raise WarehouseError if a read-only session would change what lasts, or this task was stopped."""
        if self._thread_values.stop.is_set():
            raise WarehouseError.of("Another model failed, or the run was stopped.", where=statement.excerpt)
        if self.read_only and statement.changes_what_lasts:
            raise WarehouseError.of("A read-only session can't change the state.", where=statement.excerpt)

    def _build_dialect(self, settings: Mapping[str, Any], options: WarehouseOptions) -> Dialect:
        """Return the dialect of this session, after finding or creating the state's schema."""
        # Until the schema is known, no table lasts, so that a read-only session may look for it.
        self.dialect = SnowflakeDialect("", "", persistent=False)
        location = resolve_location(settings, options, self.fetch)
        persistent = SnowflakeDialect(location.full_state_schema, location.full_state_schema)
        has_schema = location.has_state_schema(self.fetch(location.show_schemas(location.state_database)))
        if has_schema:
            self.dialect = persistent
            if self.state_columns("meta"):
                return persistent
        self._require_no_state_in_output_database(location)
        if has_schema:
            return replace(persistent, persistent=False) if self.read_only else persistent
        if self.read_only:
            return SnowflakeDialect(location.full_schema, location.full_schema, persistent=False)
        try:
            self.execute(location.create_state_schema)
        except WarehouseError as error:
            raise location.creation_error(error) from error.__cause__
        # "CREATE SCHEMA" makes the new one the session's schema; models look for their tables in dbt's.
        self.execute(Statement.session(f"USE SCHEMA {location.full_schema}"))
        return persistent

    def _require_no_state_in_output_database(self, location: SnowflakeLocation) -> None:
        """Raise UsageError if the state is in the output's database, and `state_database` is another one."""
        if location.state_database == location.database:
            return
        if location.has_state_schema(self.fetch(location.show_schemas(location.database))):
            old = f"{location.database}.{location.state_schema}"
            self.dialect = SnowflakeDialect(old, old)
            if self.state_columns("meta"):
                raise location.left_behind_error(old)


class _ThreadValues(local):
    """The values of one thread: the tag of its statements, and whether it has to stop."""

    def __init__(self, query_tag: Mapping[str, str]) -> None:
        self.query_tag = query_tag
        self.stop = Event()


def inline_parameters(statement: Statement, dialect: Dialect) -> Statement:
    """Return a statement with its parameters, which are texts, as literals: CREATE takes no bound ones.

    A question mark in a quoted name or a literal is not a parameter: a column may be called "Is VIP?".
    """
    if not statement.parameters:
        return statement
    values = (dialect.quote_literal(str(value)) for value in statement.parameters)
    text = _QUOTED_OR_PLACEHOLDER.sub(
        lambda match: next(values) if match[0] == "?" else match[0], statement.text
    )
    return replace(statement, text=text, parameters=())


def _lower_reserved_name(name: str) -> str:
    return name.lower() if name.startswith(RESERVED_PREFIX.upper()) else name
