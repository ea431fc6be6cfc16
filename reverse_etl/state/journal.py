"""The journal: what came of each row, run by run, for a destination that keeps one (docs/journal.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.state.consents import ConsentState
from reverse_etl.state.person_hash import PersonHash
from reverse_etl.state.runs import RunState
from reverse_etl.state.sql.journal import JournalEntry, insert_journal
from reverse_etl.state.sql.schema import column_names
from reverse_etl.state.tables import IN_SCOPE_SQL, in_scope_sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.config.journal import JournalSettings
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.state.tables import StateTables

_TABLE: Final = "journal"
_COLUMNS: Final = column_names(_TABLE)
_SCOPE_COLUMNS: Final = ("account_id", "project")


@dataclass(frozen=True)
class JournalRow:
    """The outcome of one row in one run. `changes` is JSON text, `job_id` the import's, None without one."""

    run_id: str
    model: str
    list_id: str
    op: str
    outcome: str
    code: str | None
    recorded_at: str
    pii: str
    changes: str
    job_id: str | None = None
    list_name: str = ""


@dataclass(frozen=True)
class Journal:
    """The journal of one account and project; nothing is written to it without settings."""

    state_tables: StateTables
    settings: JournalSettings | None

    @cached_property
    def _hash(self) -> PersonHash:
        return PersonHash(self.state_tables.dialect, self.state_tables.scope.account)

    def store_outcomes(self, run_id: str, model: str, outcomes: Iterable[tuple[int, int, str]]) -> None:
        """Store (first number, last number, outcome) of rows, before their receipts: `insert` reads them.

        Those of runs that have ended were read, and are deleted.
        """
        tables = self.state_tables
        rows = [(run_id, model, *outcome) for outcome in outcomes] if self.settings else []
        if not rows:
            return
        name, runs = map(tables.dialect.state_table, ("row_outcomes", "runs"))
        ended = f"SELECT run_id FROM {runs} WHERE {IN_SCOPE_SQL} AND state NOT IN (?, ?)"
        delete = Statement.change(
            name,
            f"DELETE FROM {name} WHERE run_id IN ({ended})",
            (*tables.scope.key, RunState.SUBMITTING.value, RunState.UNSETTLED.value),
        )
        tables.execute(delete, *tables.insert("row_outcomes", rows))

    def insert(self, run: RunDeltas) -> tuple[Statement, ...]:
        """Return the statement that writes a model's settled rows, for the transaction that applies them."""
        if self.settings is None:
            return ()
        tables = self.state_tables
        entry = JournalEntry(run.tables, *tables.scope.key, tables.now(), self.settings.pii, self._hash)
        return (insert_journal(run, entry),)

    def insert_settled_consents(self, model: str, list_id: str) -> tuple[Statement, ...]:
        """Return the statement that writes what later runs found out about consents that it has as pending.

        For the transaction that marks the consents, after these. May be repeated.
        """
        if self.settings is None:
            return ()
        tables, entry = self.state_tables, {"outcome": "f.outcome", "seq": "-j.seq", "recorded_at": "?"}
        journal, consents = map(tables.dialect.state_table, (_TABLE, "consents"))
        settled = (
            f"SELECT run_id, identity, CASE state WHEN ? THEN 'applied' ELSE 'opted_out' END AS outcome "
            f"FROM {consents} WHERE {IN_SCOPE_SQL} AND model = ? AND list_id = ? AND state IN (?, ?)"
        )
        states = (ConsentState.CONFIRMED.value, ConsentState.OPTED_OUT.value)
        statement = Statement.insert(
            journal,
            f"INSERT INTO {journal}\n"
            f"WITH settled AS ({settled}),\n"
            f"found AS (SELECT * FROM settled "
            f"UNION ALL SELECT run_id, {self._hash.sql('identity')}, outcome FROM settled)\n"
            f"SELECT {', '.join(entry.get(column, f'j.{column}') for column in _COLUMNS)}\n"
            f"FROM {journal} AS j JOIN found AS f ON f.run_id = j.run_id AND f.identity = j.identity\n"
            f"WHERE {in_scope_sql('j')} AND j.model = ? AND j.list_id = ? AND j.outcome = 'pending'\n"
            f"AND NOT EXISTS (SELECT 1 FROM {journal} AS k "
            f"WHERE k.run_id = j.run_id AND k.model = j.model AND k.seq = -j.seq)",
            (
                *(states[0], *tables.scope.key, model, list_id, *states),
                *(tables.now(), *tables.scope.key, model, list_id),
            ),
        )
        return (statement,)

    def prune(self) -> None:
        """Delete the rows that are older than the settings say."""
        if self.settings is None:
            return
        tables, name = self.state_tables, self.state_tables.dialect.state_table(_TABLE)
        oldest = format_epoch_seconds(tables.clock.now() - self.settings.keep_seconds)
        text = f"DELETE FROM {name} WHERE {IN_SCOPE_SQL} AND recorded_at < ?"
        tables.execute(Statement.change(name, text, (*tables.scope.key, oldest)))

    def count_added_again(self, model: str, planned: str) -> Mapping[str, int]:
        """Return, by list id, the adds in a table of planned rows that runs removed from the same list."""
        tables = self.state_tables
        adds = f"FROM {tables.dialect.temp_table(planned)} WHERE retl_op = '{Op.ADD}'"
        statement = Statement.read(
            f"WITH adds AS (SELECT retl_list_id, retl_seq, retl_identity AS person {adds}\n"
            f"UNION ALL SELECT retl_list_id, retl_seq, {self._hash.sql('retl_identity')} {adds})\n"
            f"SELECT a.retl_list_id, COUNT(DISTINCT a.retl_seq) FROM adds AS a\n"
            f"JOIN {tables.dialect.state_table(_TABLE)} AS j "
            f"ON j.list_id = a.retl_list_id AND j.identity = a.person\n"
            f"WHERE {in_scope_sql('j')} AND j.model = ? AND j.outcome = 'removed' GROUP BY 1",
            (*tables.scope.key, model),
        )
        return {str(list_id): int(rows) for list_id, rows in tables.fetch(statement)}

    def find(
        self,
        values: Mapping[IdentifierType, str],
        models: Sequence[str],
        limit: int,
        list_ids: Sequence[str] = (),
    ) -> list[JournalRow]:
        """Return the newest rows of some models about a person who has one of these identifiers.

        With list ids, only those of these lists.
        """
        if self.settings is None or not values or not models:
            return []
        tables = self.state_tables
        has_identifier = " OR ".join(f"{kind.value} IN (?, ?)" for kind in values)
        texts = [
            text for kind, value in values.items() for text in (value, self._hash.digest(f"{kind}:{value}"))
        ]
        of_lists = f" AND list_id IN ({', '.join('?' for _ in list_ids)})" if list_ids else ""
        name, receipts = map(tables.dialect.state_table, (_TABLE, "receipts"))
        columns = "j.run_id, j.model, j.list_id, j.op, j.outcome, j.code, j.recorded_at, j.pii, j.changes"
        statement = Statement.read(
            f"SELECT {columns}, MAX(c.job_id) FROM (\n"
            f"  SELECT * FROM {name}\n"
            f"  WHERE {IN_SCOPE_SQL} AND model IN ({', '.join('?' for _ in models)}){of_lists} "
            f"AND ({has_identifier})\n"
            f"  ORDER BY recorded_at DESC, run_id DESC, model, list_id, seq LIMIT {int(limit)}\n"
            f") AS j LEFT JOIN {receipts} AS c ON c.run_id = j.run_id AND c.model = j.model "
            f"AND ABS(j.seq) BETWEEN c.first_seq AND c.last_seq\n"
            f"GROUP BY {columns}, j.seq\n"
            "ORDER BY j.recorded_at DESC, j.run_id DESC, j.model, j.list_id, j.seq",
            (*tables.scope.key, *models, *list_ids, *texts),
        )
        return [JournalRow(*row) for row in tables.fetch(statement)]

    def view_sql(self) -> str:
        """Return the query that a model reads as `source('reverse_etl', 'journal')`."""
        dialect = self.state_tables.dialect
        account, project = map(dialect.quote_literal, self.state_tables.scope.key)
        return (
            f"SELECT {', '.join(column for column in _COLUMNS if column not in _SCOPE_COLUMNS)} "
            f"FROM {dialect.state_table(_TABLE)} "
            f"WHERE account_id = {account} AND project = {project}"
        )
