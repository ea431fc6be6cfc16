"""A session that is replaced when it ends, and the statements that may be repeated in the new one.

Snowflake rejects a statement of an ended session before running it, so outside a transaction the statement
can be repeated in a new session. Two things are lost: an open transaction, and temporary tables.
"""

from __future__ import annotations

import json
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from reverse_etl.errors import ReverseEtlError, SessionLost, WarehouseError
from reverse_etl.warehouse.snowflake.auth import build_arguments, secret_values
from reverse_etl.warehouse.snowflake.client import Connection, Cursor, connect, error_class
from reverse_etl.warehouse.snowflake.errors import (
    MISSING_OBJECT_CODES,
    RETRY_HINT,
    UNREACHABLE_CODES,
    translate_error,
)
from reverse_etl.warehouse.snowflake.location import to_sql_identifier
from reverse_etl.warehouse.statement import Statement, StatementKind, TableName, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.warehouse.snowflake.client import ColumnDescription

MAX_QUERY_TAG_LENGTH = 2000  # "QUERY_TAG": at most 2000 characters


ReturnT = TypeVar("ReturnT")


def to_bound_values(parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return parameters as the connector takes them: version 4 knows no subclasses of str."""
    return tuple(str(value) if isinstance(value, str) else value for value in parameters)


class Session:
    """A session with the settings of a dbt-snowflake output. Threads may run statements at the same time.

    Raises WarehouseError, and SessionLost if a session ended and its work can't be repeated. Opening the
    first session raises UsageError if a setting is wrong.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._secrets = secret_values(settings)
        self._temp_tables = TempTables()
        self._in_transaction = False
        self._lock = Lock()  # of what changes when a session is replaced
        self._connection: Connection | None = _connect_with_retries(settings, self._secrets)

    def open_second(self) -> Session:
        """Open another session with the same settings. It has none of this one's temporary tables."""
        return Session(self._settings)

    def execute(self, statement: Statement, query_tag: Mapping[str, str]) -> Cursor:
        """Run a statement and return the cursor with its result."""
        options = {"_statement_params": {"QUERY_TAG": json.dumps(query_tag)[:MAX_QUERY_TAG_LENGTH]}}

        def execute_on(cursor: Cursor) -> Cursor:
            cursor.execute(statement.text, to_bound_values(statement.parameters) or None, **options)
            return cursor

        try:
            return self._call_with_reconnect(statement, execute_on)
        except WarehouseError as error:
            if getattr(error.__cause__, "errno", None) in MISSING_OBJECT_CODES:
                self._temp_tables.refuse_missing(statement)
            raise

    def refuse_lost(self, table: TableName) -> None:
        """Raise SessionLost for a temporary table of a session that has ended."""
        self._temp_tables.refuse(table, f"{table}")

    def describe(self, statement: Statement) -> Sequence[ColumnDescription]:
        """Return a query's columns as Snowflake compiles it."""
        return self._call_with_reconnect(statement, lambda cursor: cursor.describe(statement.text) or ())

    @contextmanager
    def translate_read_errors(self, statement: Statement) -> Iterator[None]:
        """Translate an error while rows are read to SessionLost: the rows can be read again."""
        try:
            yield
        except error_class() as error:
            translated = translate_error(error, statement.excerpt, self._secrets)
            raise SessionLost(*translated.problems) from error

    @contextmanager
    def transaction(self, query_tag: Mapping[str, str]) -> Iterator[None]:
        """Commit the statements inside together, in one session.

        BEGIN usually notices a session that has ended, and can be repeated. The connector repeats a COMMIT
        whose reply is lost under the same request id, which runs once. A COMMIT that fails is rolled back, so
        that no later statement is part of the transaction.
        """
        self.execute(Statement.session("BEGIN TRANSACTION"), query_tag)
        self._in_transaction = True
        try:
            try:
                yield
                self.execute(Statement.session("COMMIT"), query_tag)
            except BaseException:
                with suppress(ReverseEtlError):  # a session that has ended has rolled back
                    self.execute(Statement.session("ROLLBACK"), query_tag)
                raise
        finally:
            self._in_transaction = False

    @contextmanager
    def use_warehouse(self, name: str, query_tag: Mapping[str, str]) -> Iterator[None]:
        """Run the statements inside in another warehouse, also in a session that replaces this one."""
        current = str(self._settings.get("warehouse") or "") or self._default_warehouse(query_tag)
        self._set_warehouse(name, query_tag)
        try:
            yield
        except BaseException:
            with suppress(ReverseEtlError):  # report the first error
                self._set_warehouse(current, query_tag)
            raise
        self._set_warehouse(current, query_tag)

    def _default_warehouse(self, query_tag: Mapping[str, str]) -> str:
        cursor = self.execute(Statement.read("SELECT CURRENT_WAREHOUSE()"), query_tag)
        ((name,),) = cursor.fetchall()
        cursor.close()
        return quote_identifier(name) if name else ""

    def _set_warehouse(self, name: str, query_tag: Mapping[str, str]) -> None:
        if name:
            self.execute(Statement.session(f"USE WAREHOUSE {to_sql_identifier(name)}"), query_tag)
            self._settings = {**self._settings, "warehouse": name}

    def cancel_statements(self) -> None:
        """Cancel the statements that other threads wait for, if Snowflake can be reached.

        The connector knows no number of a statement before its reply, so all those of the session end; that
        needs another session ("SYSTEM$CANCEL_ALL_QUERIES").
        """
        with suppress(Exception):  # a statement that is not cancelled ends by itself
            ((number,),) = self._call_on(self._connection, _SESSION_NUMBER, _fetch_all)
            with closing(connect(build_arguments(self._settings))) as other:
                other.cursor().execute(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({int(number)})")

    def close(self) -> None:
        """Log out, which ends temporary tables. May be called twice."""
        ended, self._connection = self._connection, None
        _log_out(ended)

    def _call_with_reconnect(self, statement: Statement, call: Callable[[Cursor], ReturnT]) -> ReturnT:
        self._temp_tables.raise_if_lost(statement)
        connection = self._connection
        try:
            return self._call_on(connection, statement, call)
        except SessionLost as session_lost:
            # A long statement may have run, although its session ended.
            if self._in_transaction or not statement.repeatable:
                raise
            with self._lock:
                was_replaced = connection is not self._connection
                if not was_replaced:
                    self._reconnect(session_lost)
        if was_replaced:  # by another thread, and that session may end, too
            return self._call_with_reconnect(statement, call)
        self._temp_tables.raise_if_lost(statement)
        return self._call_on(self._connection, statement, call)

    def _call_on(
        self, connection: Connection | None, statement: Statement, call: Callable[[Cursor], ReturnT]
    ) -> ReturnT:
        if connection is None:
            raise WarehouseError.of(
                "The session with Snowflake is closed.", where=statement.excerpt, hint=RETRY_HINT
            )
        try:
            result = call(connection.cursor())
        except error_class() as error:
            raise translate_error(error, statement.excerpt, self._secrets) from error
        with self._lock:
            self._temp_tables.record(statement, was_lost=connection is not self._connection)
        return result

    def _reconnect(self, session_lost: SessionLost) -> None:
        """Sign in again. Raises SessionLost if that fails: the run may have sent something already."""
        try:
            connection = _connect_with_retries(self._settings, self._secrets)
        except ReverseEtlError as error:
            raise SessionLost.of(
                f"{session_lost.problems[0].summary} A new one could not be opened. "
                f"{error.problems[0].summary}",
                where=session_lost.problems[0].where,
                hint=error.problems[0].hint,
            ) from session_lost.__cause__
        # Other threads see one of the two connections, and none without knowing that its tables are lost.
        self._temp_tables.mark_lost()
        ended, self._connection = self._connection, connection
        _log_out(ended)


def _log_out(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(Exception):  # a session that can't log out ends by itself
            connection.close()


def _connect_with_retries(settings: Mapping[str, Any], secrets: tuple[str, ...]) -> Connection:
    """Open a session, and retry if Snowflake can't be reached."""
    connect_arguments = build_arguments(settings)
    retries_left = max(int(settings.get("connect_retries") or 1), 0)
    while True:
        try:
            return connect(connect_arguments)
        except error_class() as error:
            if retries_left and getattr(error, "errno", None) in UNREACHABLE_CODES:
                retries_left -= 1
                time.sleep(1)
                continue
            where = str(
                connect_arguments.get("host")
                or connect_arguments.get("account")
                or connect_arguments.get("connection_name")
            )
            raise translate_error(error, where, secrets, signing_in=True) from None


@dataclass
class TempTables:
    """Remembers the names of temporary tables: Snowflake only says that a table does not exist."""

    _created: set[TableName] = field(default_factory=set)
    _lost: set[TableName] = field(default_factory=set)

    def record(self, statement: Statement, *, was_lost: bool = False) -> None:
        """Record a statement that was run: it may have created or dropped a table.

        `was_lost`: its session has ended since.
        """
        table = statement.table
        if table is None or not table.temporary or not _makes_or_drops(statement):
            return
        self._lost.discard(table)
        self._created.discard(table)
        if statement.kind is StatementKind.CREATE:
            (self._lost if was_lost else self._created).add(table)

    def mark_lost(self) -> None:
        """Mark all tables as lost: a new session has none of them."""
        self._lost |= self._created
        self._created.clear()

    def raise_if_lost(self, statement: Statement) -> None:
        """Raise SessionLost if a statement writes to a lost table; creating it again is allowed."""
        if statement.table is not None and not _makes_or_drops(statement):
            self.refuse(statement.table, statement.excerpt)

    def refuse_missing(self, statement: Statement) -> None:
        """Raise SessionLost if a statement did not find a table and any table was lost."""
        if self._lost:
            raise _session_lost(statement.excerpt)

    def refuse(self, table: TableName, where: str) -> None:
        """Raise SessionLost if a table was lost."""
        if table in self._lost:
            raise _session_lost(where)


_SESSION_NUMBER = Statement.read("SELECT CURRENT_SESSION()")


def _fetch_all(cursor: Cursor) -> Sequence[Any]:
    cursor.execute(_SESSION_NUMBER.text)
    return cursor.fetchall()


def _makes_or_drops(statement: Statement) -> bool:
    return statement.kind in {StatementKind.CREATE, StatementKind.DROP}


def _session_lost(where: str) -> SessionLost:
    return SessionLost.of(
        "The session with Snowflake ended under way, and with it the tables that were staged in it.",
        where=where,
        hint=RETRY_HINT,
    )
