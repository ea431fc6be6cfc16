"""The DuckDB adapter: the warehouse in a file, and the state in a file of its own beside it.

The session's main database is in memory and holds temporary tables; it spills to a folder of its own. The
warehouse file is attached read-only and only while models are staged, so that dbt can build during the rest
of a run. Only reverse-etl uses the state file.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.config.duckdb_output import Attachment, database_name, default_database
from reverse_etl.errors import UsageError, WarehouseMissing
from reverse_etl.files import PRIVATE, TemporaryFolder
from reverse_etl.formatting import end_sentence
from reverse_etl.warehouse.duckdb.attach import attach_sql, create_secret_sql
from reverse_etl.warehouse.duckdb.copies import keep_copy, move_file, work_on_copy
from reverse_etl.warehouse.duckdb.dialect import DuckDBDialect
from reverse_etl.warehouse.duckdb.errors import (
    EXTENSION_HINT,
    PATH_HINT,
    PATH_LOCATION,
    error_message,
    open_error,
    translate_errors,
    unreadable_error,
)
from reverse_etl.warehouse.duckdb.memory import MIN_SORT_ROWS, max_rows_in_memory
from reverse_etl.warehouse.duckdb.relation_facts import (
    SELECT_DATABASES,
    SELECT_RELATIONS,
    compute_version,
    find_relations,
)
from reverse_etl.warehouse.duckdb.settings import session_settings
from reverse_etl.warehouse.duckdb.state_file import find_state_file, warehouse_path
from reverse_etl.warehouse.duckdb.types import to_column
from reverse_etl.warehouse.statement import Statement, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.interface import ResultT, Row
    from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
    from reverse_etl.warehouse.statement import TableName

STATE_DATABASE = "reverse_etl_state"
DIALECT = DuckDBDialect(state_schema=f"{quote_identifier(STATE_DATABASE)}.main", temp_schema="memory.main")


class DuckDB:
    """A session with a DuckDB warehouse. Implements `warehouse.Warehouse`."""

    dialect = DIALECT
    single_writer = True  # DuckDB lets one process write a file
    min_write_interval = 0.0

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        read_only: bool,
        locations: Mapping[str, str] | None = None,
        state_path: str = "",
    ) -> None:
        """Open the state file of a dbt-duckdb output; with `read_only`, change no file.

        Missing state is an empty one in memory. `locations` says where settings were written.
        `state_path` is that of the destination. A state at an older path is moved; `opening_notes` say so.
        """
        self.read_only = read_only
        self._locations = locations or {}
        self._path = warehouse_path(settings)
        self._settings = settings
        self._session_settings = session_settings(settings, self._locations)
        self._state_file = find_state_file(settings, state_path)
        self.opening_notes: tuple[str, ...] = ()
        self._folder = TemporaryFolder()
        self._state_columns: Mapping[str, Mapping[str, Column]] | None = None  # by table, if they are known
        self._connection = duckdb.connect(":memory:", config=self._session_settings.initial)
        try:
            self._configure_session()
            self._attach_state()
        except BaseException:
            self.close()
            raise

    def execute(self, statement: Statement) -> None:
        """Run one statement."""
        if statement.changes_columns and statement.changes_what_lasts:
            self._state_columns = None
        with translate_errors(statement):
            self._connection.execute(statement.text, statement.parameters or None)

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows."""
        with translate_errors(statement):
            return self._connection.execute(statement.text, statement.parameters or None).fetchall()

    def stream(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """Yield rows from a cursor of their own, so that other statements can run in between."""
        cursor = self._connection.cursor()
        try:
            with translate_errors(statement):
                cursor.execute(statement.text, statement.parameters or None)
                rows = cursor.fetchmany(size)
            while rows:
                yield rows
                with translate_errors(statement):
                    rows = cursor.fetchmany(size)
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the statements inside together."""
        self.execute(Statement.session("BEGIN TRANSACTION"))
        try:
            yield
            self.execute(Statement.session("COMMIT"))
        except BaseException:
            with suppress(duckdb.Error):  # a failed COMMIT may have ended it
                self._connection.execute("ROLLBACK")
            self._state_columns = None
            raise

    def schema_transaction(self) -> AbstractContextManager[None]:
        """Commit what is run inside as one."""
        return self.transaction()

    def run_each(self, tasks: Sequence[Callable[[], ResultT]]) -> Iterator[ResultT]:
        """Run the tasks one after another: DuckDB runs each statement on all cores."""
        return (task() for task in tasks)

    @contextmanager
    def staging(self) -> Iterator[None]:
        """Attach the warehouse read-only under dbt's database name; nothing else is readable."""
        if not self._path.exists():
            raise self._missing_file_error()
        name, schema = (
            default_database(self._settings),
            str(self._settings.get("schema", "main")),
        )
        databases = self._list_databases()
        try:
            for number, secret in enumerate(self._session_settings.secrets, start=1):
                self._create_secret(secret, number)
            for database in databases:
                self._attach_database(database)
            self.execute(Statement.session("SET enable_external_access = false"))
            self._use_schema(name, schema)
            yield
        finally:
            self._connection.execute("USE memory.main")
            for (database,) in self._connection.execute(
                "SELECT database_name FROM duckdb_databases() "
                "WHERE NOT internal AND database_name NOT IN ('memory', ?)",
                [STATE_DATABASE],
            ).fetchall():
                self._connection.execute(f"DETACH {quote_identifier(database)}")

    def _list_databases(self) -> list[Attachment]:
        """Return the databases to attach: dbt's main file under its own name, and those of `attach`."""
        attachments = self._session_settings.attachments
        main = Attachment(str(self._path), database_name(str(self._path)))
        attached = {Path.cwd() / Path(entry.path).expanduser() for entry in attachments if entry.is_file}
        return [*([] if self._path in attached else [main]), *attachments]

    def _create_secret(self, secret: Mapping[str, Any], number: int) -> None:
        try:
            self._connection.execute(create_secret_sql(secret, number))
        except duckdb.Error as error:
            raise UsageError.of(
                f"DuckDB could not create a secret. {end_sentence(error_message(error))}",
                where="secrets of the output in profiles.yml",
                hint=EXTENSION_HINT if "xtension" in str(error) else "Correct it, as for dbt.",
            ) from None

    def _use_schema(self, name: str, schema: str) -> None:
        try:
            self._connection.execute(f"USE {quote_identifier(name)}.{quote_identifier(schema)}")
        except duckdb.CatalogException:
            raise UsageError.of(
                f"The warehouse has no schema {schema}.",
                where=self._locations.get("schema", "schema of the output in profiles.yml"),
                hint=f"Correct the schema, or run dbt build first; the file is {self._path}.",
            ) from None

    def max_sort_rows(self, rows: int) -> int:
        """Return how many rows the session's memory can sort; it is asked for only if they are many."""
        return rows if rows <= MIN_SORT_ROWS else min(rows, self._max_rows_in_memory)

    @cached_property
    def _max_rows_in_memory(self) -> int:
        ((limit,),) = self.fetch(Statement.read("SELECT current_setting('memory_limit')"))
        return max_rows_in_memory(limit)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Do nothing: DuckDB runs in this process."""
        yield

    @contextmanager
    def second_session(self) -> Iterator[DuckDB]:
        """Open a cursor with transactions of its own."""
        other = copy(self)
        with closing(self._connection.cursor()) as connection:
            other._connection = connection  # noqa: SLF001 - of this class
            yield other

    def set_query_tag(self, **tags: str) -> None:
        """Do nothing: DuckDB keeps no history of statements."""

    def describe(self, select: str) -> tuple[Column, ...]:
        """Return a query's columns from DESCRIBE."""
        rows = self.fetch(Statement.read(f"DESCRIBE (\n{select}\n)"))
        return tuple(to_column(name, type_) for name, type_, *_ in rows)

    def state_columns(self, table: str) -> Mapping[str, Column]:
        """Return a state table's columns; all tables are read at once, and kept until one changes."""
        if self._state_columns is None:
            query = (
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = ? ORDER BY table_name, column_index"
            )
            columns: dict[str, dict[str, Column]] = {}
            for name, column, type_ in self.fetch(Statement.read(query, (STATE_DATABASE,))):
                columns.setdefault(name, {})[column] = to_column(column, type_)
            self._state_columns = columns
        return self._state_columns.get(table, {})

    def read_relation_facts(self, names: Sequence[RelationName]) -> Mapping[RelationName, RelationFacts]:
        """Return the facts of tables and views, whose version is that of all attached files."""
        if not names:
            return {}
        own = frozenset({"memory", STATE_DATABASE})
        version = compute_version(self.fetch(Statement.read(SELECT_DATABASES)), own)
        return find_relations(names, self.fetch(Statement.read(SELECT_RELATIONS)) if version else [], version)

    def read_state_versions(self, tables: Sequence[TableName]) -> Sequence[str]:
        """Return no versions: the state is one file."""
        return [""] * len(tables)

    def back_up_state(self, tables: Sequence[str], label: str) -> str:
        """Copy the whole state file to one beside it, and return its name."""
        del tables
        state = self._state_file.path
        path = state.with_name(f"{state.stem}.{label}.duckdb")
        keep_copy(self._connection, STATE_DATABASE, path)
        return path.name

    def copy_state(self, tables: Sequence[str]) -> None:
        """Work on a copy of the whole state file, in the session's own folder."""
        del tables
        self._state_columns = None
        with translate_errors(Statement.session("COPY FROM DATABASE")):
            work_on_copy(self._connection, STATE_DATABASE, self._folder.path / "state.duckdb")

    def close(self) -> None:
        """Close the session and remove what it spilled."""
        self._connection.close()
        self._folder.close()

    def _configure_session(self) -> None:
        self._connection.execute(f"SET temp_directory = {quote_literal(str(self._folder.path))}")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")  # it would write to stdout
        self._connection.execute("SET preserve_insertion_order = false")
        # Most deltas of a run are gone at its end: at the default, 16MB, they would go into the file first.
        self._connection.execute("SET checkpoint_threshold = '256MB'")
        for name in self._session_settings.extensions:
            with translate_errors(Statement.session(f"LOAD {name}")):
                self._connection.load_extension(name)
        for key, value in self._session_settings.settings:
            with translate_errors(Statement.session(f"SET {key}")):
                self._connection.execute(f"SET {quote_identifier(key)} = {quote_literal(value)}")
        if self._session_settings.threads and self._session_settings.settings:  # which may have set others
            self._connection.execute(f"SET threads = {self._session_settings.threads}")

    def _attach_state(self) -> None:
        state_file = self._state_file
        if not self._path.parent.is_dir():
            raise self._missing_file_error(f"There is no folder {self._path.parent}.")
        if state_file.existing is None and not self._path.exists():
            raise self._missing_file_error()
        if self.read_only and state_file.existing is None:
            self._connection.execute(f"ATTACH ':memory:' AS {quote_identifier(STATE_DATABASE)}")
        else:
            if state_file.is_to_be_moved and not self.read_only:
                self._move_state()
            path = (state_file.existing or state_file.path) if self.read_only else state_file.path
            self._attach_database(Attachment(str(path), STATE_DATABASE), writable=not self.read_only)
            if not self.read_only and state_file.existing is None:
                path.chmod(PRIVATE)
            if self.read_only and not self.state_columns("meta"):  # made, and never written to
                self._connection.execute(f"DETACH {quote_identifier(STATE_DATABASE)}")
                self._connection.execute(f"ATTACH ':memory:' AS {quote_identifier(STATE_DATABASE)}")
                self._state_columns = None

    def _missing_file_error(self, summary: str = "") -> WarehouseMissing:
        where = self._locations.get("path", PATH_LOCATION)
        return WarehouseMissing.of(
            summary or f"There is no DuckDB file at {self._path}.", where=where, hint=PATH_HINT
        )

    def _move_state(self) -> None:
        """Move the state to where it belongs. No other process has it open, since that holds its lock."""
        old, new = self._state_file.existing, self._state_file.path
        assert old is not None  # noqa: S101 - it is to be moved
        self._attach_database(Attachment(str(old), STATE_DATABASE), writable=True)
        self._connection.execute(f"CHECKPOINT {quote_identifier(STATE_DATABASE)}")
        self._connection.execute(f"DETACH {quote_identifier(STATE_DATABASE)}")
        move_file(old, new)
        self.opening_notes = (f"The state was moved from {old} to {new}.",)

    def _attach_database(self, database: Attachment, *, writable: bool = False) -> None:
        try:
            self._connection.execute(attach_sql(database, writable=writable))
        except duckdb.IOException as error:
            raise open_error(database.path, error, is_state=database.name == STATE_DATABASE) from None
        except duckdb.Error as error:
            raise unreadable_error(database.path, error, is_state=database.name == STATE_DATABASE) from None
