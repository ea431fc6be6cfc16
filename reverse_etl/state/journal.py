"""The journal: what came of each row, run by run, for a destination that keeps one (docs/journal.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.state.consents import ConsentState
from reverse_etl.state.person_hash import PersonHash
from reverse_etl.state.runs import RunList, RunState
from reverse_etl.state.sql.journal import JournalEntry, insert_journal
from reverse_etl.state.sql.schema import column_names
from reverse_etl.state.tables import IN_SCOPE_SQL, in_scope_sql, reading, require
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.config.journal import JournalSettings
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables

_TABLE: Final = "journal"
_MOST_IDENTITIES: Final = 1_000  # of one statement
_COLUMNS: Final = column_names(_TABLE)
_SCOPE_COLUMNS: Final = ("account_id", "project")


@dataclass(frozen=True)
class JournalRow:
    """The outcome of one row in one run. `changes` is JSON text, `job_id` the import's, None without one.

    `identity` and the ids are as the journal keeps them. `replaced_by` is the identity of the row of the same
    person that took the place of a replaced one, '' if it is not known.
    """

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
    identity: str = ""
    external_id: str | None = None
    klaviyo_profile_id: str | None = None
    list_name: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class TextUse:
    """The rows with a text, such as an e-mail, that a run sent for one model, list, outcome and person.

    The person's external id and profile id are as the journal keeps them, with `pii`.
    """

    run_id: str
    model: str
    list_id: str
    outcome: str
    pii: str
    first_at: str
    last_at: str
    external_id: str | None
    klaviyo_profile_id: str | None

    @property
    def ids(self) -> Mapping[IdentifierType, str]:
        """Return the person's ids by type."""
        return {kind: text for kind in UNIQUE_IDENTIFIERS if (text := getattr(self, kind))}

    @property
    def has_no_id(self) -> bool:
        """Return whether nothing but the text says whose rows they are."""
        return not self.ids


@dataclass(frozen=True)
class JournalSearch:
    """A person, and where to look: in some models, and with list ids only on these lists.

    The newest `limit` rows are wanted.
    `values` are what the person is looked up by. `own_ids` are the person's external id or profile id, as the
    texts that the journal has for it; those of several people if they share the values. Rows with another are
    not found: an e-mail or a phone passes from one person to another, these ids do not. Rows without one are
    found from `since` on. If `follows`, rows with the first of the ids are found, too.
    """

    values: Mapping[IdentifierType, str]
    models: Sequence[str]
    limit: int
    list_ids: Sequence[str] = ()
    own_ids: Mapping[IdentifierType, Sequence[str]] = field(default_factory=dict)
    since: str = ""
    follows: bool = True


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

    def find_added_again(
        self, model: str, planned: str, identities: Sequence[str]
    ) -> frozenset[tuple[str, str]]:
        """Return (list id, identity) of those of some planned adds that runs removed from the same list."""
        found: set[tuple[str, str]] = set()
        for start in range(0, len(identities), _MOST_IDENTITIES):
            some = identities[start : start + _MOST_IDENTITIES]
            found.update(self._fetch_added_again(model, planned, some))
        return frozenset(found)

    def _fetch_added_again(
        self, model: str, planned: str, identities: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        tables = self.state_tables
        adds = (
            f"FROM {tables.dialect.temp_table(planned)} WHERE retl_op = '{Op.ADD}' "
            f"AND retl_identity IN ({', '.join('?' * len(identities))})"
        )
        statement = Statement.read(
            f"WITH adds AS (SELECT retl_list_id, retl_identity, retl_identity AS person {adds}\n"
            f"UNION ALL SELECT retl_list_id, retl_identity, {self._hash.sql('retl_identity')} {adds})\n"
            f"SELECT DISTINCT a.retl_list_id, a.retl_identity FROM adds AS a\n"
            f"JOIN {tables.dialect.state_table(_TABLE)} AS j "
            f"ON j.list_id = a.retl_list_id AND j.identity = a.person\n"
            f"WHERE {in_scope_sql('j')} AND j.model = ? AND j.outcome = 'removed'",
            (*identities, *identities, *tables.scope.key, model),
        )
        for list_id, identity in tables.fetch(statement):
            yield str(list_id), str(identity)

    def select_held(self, rows: Statement, run: RunList) -> Statement:
        """Return (identity, code, time, identifiers) of those rows of a list that a run held.

        The run looked their people up. They are found by their identity, or by its hash.
        """
        planned, identifiers = f"FROM (\n{rows.text}\n) AS r", ", ".join(IDENTIFIER_COLUMNS.values())
        return Statement.read(
            f"WITH planned AS (SELECT retl_identity AS person, retl_identity, {identifiers} {planned}\n"
            f"UNION ALL SELECT {self._hash.sql('retl_identity')}, retl_identity, {identifiers} {planned})\n"
            f"SELECT retl_identity, MAX(j.code), MAX(j.recorded_at), {identifiers} FROM planned AS p\n"
            f"JOIN {self.state_tables.dialect.state_table(_TABLE)} AS j ON j.identity = p.person\n"
            f"WHERE {in_scope_sql('j')} AND j.model = ? AND j.list_id = ? AND j.run_id = ? "
            f"AND j.outcome = 'held_at_lookup'\nGROUP BY retl_identity, {identifiers} ORDER BY 1",
            (
                *rows.parameters,
                *rows.parameters,
                *self.state_tables.scope.key,
                run.model,
                run.list_id,
                run.run_id,
            ),
        )

    @reading("journal")
    def find(self, search: JournalSearch) -> list[JournalRow]:
        """Return the newest rows about a person."""
        if self.settings is None or not search.values or not search.models:
            return []
        tables = self.state_tables
        condition, texts = self._has_identifier(search)
        of_lists = f" AND list_id IN ({_placeholders(search.list_ids)})" if search.list_ids else ""
        name, receipts = map(tables.dialect.state_table, (_TABLE, "receipts"))
        columns = "j.run_id, j.model, j.list_id, j.op, j.outcome, j.code, j.recorded_at, j.pii, j.changes"
        ids = "j.identity, j.external_id, j.klaviyo_profile_id"
        statement = Statement.read(
            f"SELECT {columns}, MAX(c.job_id), {ids} FROM (\n"
            f"  SELECT * FROM {name}\n"
            f"  WHERE {IN_SCOPE_SQL} AND model IN ({_placeholders(search.models)}){of_lists} "
            f"AND {condition}\n"
            f"  ORDER BY recorded_at DESC, run_id DESC, model, list_id, seq LIMIT {int(search.limit)}\n"
            f") AS j LEFT JOIN {receipts} AS c ON c.run_id = j.run_id AND c.model = j.model "
            f"AND ABS(j.seq) BETWEEN c.first_seq AND c.last_seq\n"
            f"GROUP BY {columns}, {ids}, j.seq\n"
            "ORDER BY j.recorded_at DESC, j.run_id DESC, j.model, j.list_id, j.seq",
            (*tables.scope.key, *search.models, *search.list_ids, *texts),
        )
        return [_to_row(*row) for row in tables.fetch(statement)]

    def kept_texts(self, kind: IdentifierType, value: str) -> tuple[str, str]:
        """Return the texts that the journal may have for an identifier: its value and its hash."""
        return value, self._hash.digest(f"{kind}:{value}")

    def _has_identifier(self, search: JournalSearch) -> tuple[str, list[str]]:
        """Return the condition of a person's rows, and its parameters."""
        found = self._kept_values(search.values)
        own = [*search.own_ids.items()]
        followed = own[:1] if search.follows else []
        any_of = " OR ".join(
            f"{kind.value} IN ({_placeholders(texts)})" for kind, texts in (*found, *followed)
        )
        parameters = [text for _, texts in (*found, *followed) for text in texts]
        no_other = "".join(
            f" AND ({kind.value} IS NULL OR {kind.value} IN ({_placeholders(texts)}))" for kind, texts in own
        )
        parameters += [text for _, texts in own for text in texts]
        if own and search.since:
            has_id = " OR ".join(f"{kind.value} IS NOT NULL" for kind, _ in own)
            no_other += f" AND ({has_id} OR recorded_at >= ?)"
            parameters.append(search.since)
        return f"({any_of}){no_other}", parameters

    def find_uses(self, values: Mapping[IdentifierType, str]) -> list[TextUse]:
        """Return what runs sent with a text, which may be each of these values; [] without a journal.

        Removals are left out: they take back what somebody had.
        """
        if self.settings is None or not values:
            return []
        found = self._kept_values(values)
        any_of = " OR ".join(f"{kind.value} IN ({_placeholders(texts)})" for kind, texts in found)
        keys = "run_id, model, list_id, outcome, pii"
        statement = Statement.read(
            f"SELECT {keys}, MIN(recorded_at), MAX(recorded_at), {', '.join(UNIQUE_IDENTIFIERS)}\n"
            f"FROM {self.state_tables.dialect.state_table(_TABLE)}\n"
            f"WHERE {IN_SCOPE_SQL} AND op <> '{Op.REMOVE}' AND ({any_of})\n"
            f"GROUP BY {keys}, {', '.join(UNIQUE_IDENTIFIERS)} ORDER BY {keys}",
            (*self.state_tables.scope.key, *(text for _, texts in found for text in texts)),
        )
        return [TextUse(*row) for row in self.state_tables.fetch(statement)]

    def _kept_values(
        self, values: Mapping[IdentifierType, str]
    ) -> list[tuple[IdentifierType, tuple[str, str]]]:
        return [(kind, self.kept_texts(kind, value)) for kind, value in values.items()]

    def find_identity(self, tables: ModelTables, digest: str) -> str:
        """Return the identity of an applied row that has this hash, '' if none has."""
        name = tables.dialect.state_table(tables.snapshot)
        text = f"SELECT DISTINCT retl_identity FROM {name} WHERE {self._hash.sql('retl_identity')} = ?"
        return next(
            (str(identity) for (identity,) in self.state_tables.fetch(Statement.read(text, (digest,)))), ""
        )

    def view_sql(self) -> str:
        """Return the query that a model reads as `source('reverse_etl', 'journal')`."""
        dialect = self.state_tables.dialect
        account, project = map(dialect.quote_literal, self.state_tables.scope.key)
        return (
            f"SELECT {', '.join(column for column in _COLUMNS if column not in _SCOPE_COLUMNS)} "
            f"FROM {dialect.state_table(_TABLE)} "
            f"WHERE account_id = {account} AND project = {project}"
        )


def _to_row(*values: Any) -> JournalRow:
    """Return a row of the journal. Raises ValueError if it has a value that no run writes."""
    row = JournalRow(*values)
    json.loads(row.changes)  # only to see that they can be read
    for text in (row.outcome, row.op, row.recorded_at):
        require(text)
    return row


def _placeholders(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)
