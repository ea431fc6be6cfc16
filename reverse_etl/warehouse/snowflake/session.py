"""A session that is opened anew where it ends, and what may be asked again in the next one.

Snowflake refuses a statement of a session that has ended before it runs it, so that outside a transaction the
statement can be asked again in a new session. Two things can't be had back: a transaction, of which nothing
stays, and temporary tables.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from reverse_etl.errors import ReverseEtlError, SessionLost, WarehouseError
from reverse_etl.warehouse.snowflake.auth import arguments, secrets_of
from reverse_etl.warehouse.snowflake.client import Connection, Cursor, connect, error_class
from reverse_etl.warehouse.snowflake.errors import AGAIN, MISSING, UNREACHABLE, fault_of
from reverse_etl.warehouse.statement import Statement, StatementKind, TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.warehouse.snowflake.client import ColumnDescription
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

TAG_LENGTH = 2000  # "QUERY_TAG": at most 2000 characters


Answer = TypeVar("Answer")


class Session:
    """A session as an output of dbt-snowflake asks for it.

    Raises WarehouseError; SessionLost where a session ended and what it was needed for can't be asked again.
    While it is first opened, UsageError for what only people can mend.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._secrets = secrets_of(settings)
        self._scratch = Scratch()
        self._in_transaction = False
        self._connection: Connection | None = _opened(settings, self._secrets)

    def run(self, statement: Statement, tag: Mapping[str, str]) -> Cursor:
        """Run a statement; its cursor has the result."""
        options = {"_statement_params": {"QUERY_TAG": json.dumps(tag)[:TAG_LENGTH]}}

        def execute(cursor: Cursor) -> Cursor:
            cursor.execute(statement.text, statement.parameters or None, **options)
            self._scratch.note(statement)
            return cursor

        try:
            return self._asked(statement, execute)
        except WarehouseError as error:
            if getattr(error.__cause__, "errno", None) in MISSING:
                self._scratch.refuse_missing(statement)
            raise

    def refuse_lost(self, table: TableName) -> None:
        """Raise SessionLost for a table that was of a session that has ended."""
        self._scratch.refuse(table, f"{table}")

    def describe(self, statement: Statement) -> Sequence[ColumnDescription]:
        """Return a query's columns as Snowflake compiles it."""
        return self._asked(statement, lambda cursor: cursor.describe(statement.text) or ())

    @contextmanager
    def reading(self, statement: Statement) -> Iterator[None]:
        """Read the rows of a result inside: whatever goes wrong, they can be asked for anew."""
        try:
            yield
        except error_class() as error:
            said = fault_of(error, statement.opening, self._secrets)
            raise SessionLost(*said.problems) from error

    @contextmanager
    def transaction(self, tag: Mapping[str, str]) -> Iterator[None]:
        """Commit what is run inside as one, in one session.

        A session that is gone is noticed by BEGIN, as a rule, which may be asked again. A COMMIT whose reply
        is lost is asked for again under its own number, which counts once; one that fails is rolled back, so
        that no later statement is part of the transaction.
        """
        self.run(Statement.session("BEGIN TRANSACTION"), tag)
        self._in_transaction = True
        try:
            try:
                yield
                self.run(Statement.session("COMMIT"), tag)
            except BaseException:
                with suppress(ReverseEtlError):  # a session that has ended has rolled back
                    self.run(Statement.session("ROLLBACK"), tag)
                raise
        finally:
            self._in_transaction = False

    def close(self) -> None:
        """Log out; temporary tables are gone then. May be called twice."""
        if self._connection is not None:
            with suppress(Exception):  # a session that can't log out ends by itself
                self._connection.close()
        self._connection = None

    def _asked(self, statement: Statement, ask: Callable[[Cursor], Answer]) -> Answer:
        self._scratch.refuse_lost(statement)
        try:
            return self._once(statement, ask)
        except SessionLost as lost:
            # Nobody knows whether a long statement was run after all.
            if self._in_transaction or not statement.repeatable:
                raise
            self._open_anew(lost)
        self._scratch.refuse_lost(statement)
        return self._once(statement, ask)

    def _once(self, statement: Statement, ask: Callable[[Cursor], Answer]) -> Answer:
        if self._connection is None:
            raise WarehouseError.of(
                "The session with Snowflake is closed.", where=statement.opening, advice=AGAIN
            )
        try:
            return ask(self._connection.cursor())
        except error_class() as error:
            raise fault_of(error, statement.opening, self._secrets) from error

    def _open_anew(self, lost: SessionLost) -> None:
        """Sign in again. Raises what was lost where that can't be done: something was sent already."""
        try:
            opened = _opened(self._settings, self._secrets)
        except ReverseEtlError as error:
            raise SessionLost.of(
                f"{lost.problems[0].what} A new one could not be opened. {error.problems[0].what}",
                where=lost.problems[0].where,
                advice=error.problems[0].advice,
            ) from lost.__cause__
        self.close()
        self._connection = opened
        self._scratch.lose()


def _opened(settings: Mapping[str, Any], secrets: tuple[str, ...]) -> Connection:
    """Open a session, trying again where Snowflake could not be reached."""
    asked = arguments(settings)
    left = max(int(settings.get("connect_retries") or 1), 0)
    while True:
        try:
            return connect(asked)
        except error_class() as error:
            if left and getattr(error, "errno", None) in UNREACHABLE:
                left -= 1
                time.sleep(1)
                continue
            where = str(asked.get("host") or asked.get("account") or asked.get("connection_name"))
            raise fault_of(error, where, secrets, signing_in=True) from None


@dataclass
class Scratch:
    """Keeps the names; Snowflake itself would only say that there is no such table."""

    _made: set[TableName] = field(default_factory=set)
    _lost: set[TableName] = field(default_factory=set)

    def note(self, statement: Statement) -> None:
        """Take a statement that was run: it may have made a table, or dropped one."""
        table = statement.table
        if table is None or not table.temporary or not _makes_or_drops(statement):
            return
        self._lost.discard(table)
        self._made.discard(table)
        if statement.kind is StatementKind.CREATE:
            self._made.add(table)

    def lose(self) -> None:
        """Begin another session, which has none of the tables."""
        self._lost |= self._made
        self._made.clear()

    def refuse_lost(self, statement: Statement) -> None:
        """Raise SessionLost for a statement that writes to a lost table; making it again does not."""
        if statement.table is not None and not _makes_or_drops(statement):
            self.refuse(statement.table, statement.opening)

    def refuse_missing(self, statement: Statement) -> None:
        """Raise SessionLost for a statement that did not find a table it reads, if any table was lost."""
        if self._lost:
            raise _session_lost(statement.opening)

    def refuse(self, table: TableName, where: str) -> None:
        """Raise SessionLost if a table was lost."""
        if table in self._lost:
            raise _session_lost(where)


def _makes_or_drops(statement: Statement) -> bool:
    return statement.kind in {StatementKind.CREATE, StatementKind.DROP}


def _session_lost(where: str) -> SessionLost:
    return SessionLost.of(
        "The session with Snowflake ended under way, and with it the tables that were staged in it.",
        where=where,
        advice=AGAIN,
    )
