"""People whose deletion was requested: no model sends, removes or looks up a row of theirs.

Only a keyed hash of each identifier is kept, so that the state holds nothing by which the people could be
contacted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import KEY_PREFIX, IdentifierType, row_key_text
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.errors import UsageError
from reverse_etl.state.person_hash import PersonHash
from reverse_etl.state.sql.schema import shared_tables_with
from reverse_etl.state.tables import IN_SCOPE_SQL, ROWS_PER_STATEMENT, reading
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Sql, Statement, quote_literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import TableName

_TABLE: Final = "withheld"
_PEOPLE: Final = "withheld_people"  # the scratch table of the hashes that count in a plan
_ERASED: Final = "erased_rows"  # the scratch table of the rows that an erasure takes along
# The shared tables that name people, with the column that does. The journal may name them by a hash.
_KEYED_TABLES: Final = {
    table: column
    for column in ("row_key", "identity")
    for table in shared_tables_with("project", column, without="pii")
}


class WithheldState(StrEnum):
    """How far the deletion of a person is."""

    REQUESTED = "requested"  # the profile's id is kept until a read shows that it is gone
    DELETED = "deleted"  # the person's rows are still to be erased from the state
    ERASED = "erased"
    READMITTED = "readmitted"  # the row is still in its model, and other models may send the person again


@dataclass(frozen=True)
class DeletionRequest:
    """A row of a model of deletions: its identity, and the profile's id, if there is one.

    `identifiers` are all of the row, and those that the profile shows.
    """

    identity: str
    identifiers: Collection[tuple[IdentifierType, str]]
    profile_id: str | None


@dataclass(frozen=True)
class Withheld:
    """The withheld people of one account and project."""

    state_tables: StateTables

    @cached_property
    def _hash(self) -> PersonHash:
        return PersonHash(self.state_tables.dialect, self.state_tables.scope.account)

    def digest(self, identity: str) -> str:
        """Return the hash of an identity. The key of a row whose person is erased is that hash already."""
        if identity.startswith(KEY_PREFIX):
            return row_key_text(identity)
        return self._hash.digest(identity)

    # For a plan

    def collect(self, deleting: Iterable[ModelTables]) -> Iterator[Statement]:
        """Yield the statements that collect the hashes of all withheld people.

        They are those of the state, and the staged people of the selected models of deletions.
        """
        dialect = self.state_tables.dialect
        people = dialect.temp_table(_PEOPLE)
        yield dialect.replace_empty_temp_table(_PEOPLE, "digest VARCHAR")
        yield Statement.insert(
            people,
            f"INSERT INTO {people} SELECT digest FROM {self._table} "
            f"WHERE {IN_SCOPE_SQL} AND state <> '{WithheldState.READMITTED}'",
            self.state_tables.scope.key,
        )
        for tables in deleting:
            for kind in tables.identifiers:
                column = IDENTIFIER_COLUMNS[kind]
                yield Statement.insert(
                    people,
                    f"INSERT INTO {people} SELECT {self._digest_sql(kind)} FROM {tables.staged_rows} "
                    f"WHERE {column} IS NOT NULL AND retl_problem IS NULL",
                )

    def hide_erased(self, model: str, tables: ModelTables) -> Statement:
        """Give erased people's staged rows of a model of deletions the keys under which they are known."""
        staged = self.state_tables.dialect.temp_table(tables.staged_table)
        identity = self._hash.sql("retl_identity")
        blanks = "".join(f", {column} = NULL" for column in IDENTIFIER_COLUMNS.values())
        return Statement.change(
            staged,
            f"UPDATE {staged} SET retl_identity = {quote_literal(KEY_PREFIX)} || {identity}{blanks}\n"
            f"WHERE {identity} IN (SELECT person FROM {self._table} WHERE {IN_SCOPE_SQL} "
            f"AND model = ? AND state IN ('{WithheldState.ERASED}', '{WithheldState.READMITTED}'))",
            (*self.state_tables.scope.key, model),
        )

    def mark_staged(self, tables: ModelTables) -> Iterator[Statement]:
        """Yield the statements that keep the staged rows of withheld people from being sent."""
        dialect = self.state_tables.dialect
        staged, people = (dialect.temp_table(name) for name in (tables.staged_table, _PEOPLE))
        for kind in tables.identifiers:
            yield Statement.change(
                staged,
                f"UPDATE {staged} SET retl_problem = '{RowProblem.WITHHELD}', retl_detail = NULL\n"
                f"WHERE {IDENTIFIER_COLUMNS[kind]} IS NOT NULL "
                f"AND {self._digest_sql(kind)} IN (SELECT digest FROM {people})",
            )

    def cancel_removals(self, tables: ModelTables) -> Iterator[Statement]:
        """Yield the statements that take the removals of withheld people out of a plan."""
        dialect = self.state_tables.dialect
        planned, people = dialect.temp_table(tables.planned), dialect.temp_table(_PEOPLE)
        for kind in IdentifierType:
            yield Statement.change(
                planned,
                f"DELETE FROM {planned} WHERE retl_op = '{Op.REMOVE}' "
                f"AND {self._digest_sql(kind)} IN (SELECT digest FROM {people})",
            )

    def cancel_readmissions(self, model: str, tables: ModelTables) -> Statement:
        """Take removals of a model of deletions out of a plan whose person a rejected row may mean.

        A row that was erased has no identifiers, so that only the hashes tell.
        """
        dialect, scope = self.state_tables.dialect, self.state_tables.scope.key
        planned = dialect.temp_table(tables.planned)
        digests = "\nUNION ".join(
            f"SELECT {self._digest_sql(kind)} FROM {tables.staged_rows} "
            f"WHERE retl_problem IS NOT NULL AND {IDENTIFIER_COLUMNS[kind]} IS NOT NULL"
            for kind in tables.identifiers
        )
        return Statement.change(
            planned,
            f"DELETE FROM {planned} WHERE retl_op = '{Op.REMOVE}' AND retl_identity IN (\n"
            f"SELECT {quote_literal(KEY_PREFIX)} || person FROM {self._table} "
            f"WHERE {IN_SCOPE_SQL} AND model = ?\nAND digest IN ({digests}))",
            (*scope, model),
        )

    # For a run

    def find_requested(self, model: str) -> dict[str, str | None]:
        """Return the profile ids that a model asked to delete, by the person's hash, until they are gone."""
        rows = self.state_tables.read(
            _TABLE,
            "person, profile_id",
            "person, digest",
            **self.state_tables.in_scope,
            model=model,
            state=WithheldState.REQUESTED.value,
        )
        return dict(rows)

    def request(self, model: str, requests: Sequence[DeletionRequest]) -> None:
        """Keep people as withheld, before their deletion is asked for. May be repeated."""
        tables, now = self.state_tables, self.state_tables.now()
        for part in batched(requests, ROWS_PER_STATEMENT):
            people = {request.identity: self.digest(request.identity) for request in part}
            rows = [
                (
                    *tables.scope.key,
                    model,
                    people[request.identity],
                    self.digest(f"{kind.value}:{value}"),
                    request.profile_id,
                    WithheldState.REQUESTED.value,
                    now,
                )
                for request in part
                for kind, value in sorted(request.identifiers)
            ]
            delete = tables.delete(_TABLE, **tables.in_scope, model=model, person=[*people.values()])
            tables.commit((delete, *tables.insert(_TABLE, rows)))

    def mark_deleted(self, model: str, identities: Iterable[str]) -> None:
        """Store that the profiles of people are gone."""
        for part in batched(map(self.digest, identities), ROWS_PER_STATEMENT):
            changes = {"state": WithheldState.DELETED.value, "profile_id": None}
            self.state_tables.execute(
                self.state_tables.update(
                    _TABLE, changes, **self.state_tables.in_scope, model=model, person=[*part]
                )
            )

    def forget(self, model: str, identities: Iterable[str]) -> None:
        """Forget the people of rows that left their model: other models may send them again."""
        for part in batched(map(self.digest, identities), ROWS_PER_STATEMENT):
            self.state_tables.execute(
                self.state_tables.delete(_TABLE, **self.state_tables.in_scope, model=model, person=[*part])
            )

    @reading("withheld")
    def erased_state(self, model: str, identity: str) -> WithheldState | None:
        """Return how far the deletion of a person is whose row is known by its hash, if there is one."""
        rows = self.state_tables.read(
            _TABLE,
            "state",
            "state",
            **self.state_tables.in_scope,
            model=model,
            person=self.digest(identity),
            state=[WithheldState.ERASED.value, WithheldState.READMITTED.value],
        )
        return WithheldState(rows[0][0]) if rows else None

    def readmit(self, identity: str) -> int:
        """Let other models send a person again whose row stays in its model; return how many people it is.

        Raises UsageError if the deletion is not finished: its row is not known by its hash yet, and would be
        asked for once more.
        """
        condition = {**self.state_tables.in_scope, "digest": self.digest(identity)}
        open_states = [WithheldState.REQUESTED.value, WithheldState.DELETED.value]
        if self.state_tables.read(_TABLE, "person", "person", **condition, state=open_states):
            raise UsageError.of(
                "The person's deletion was requested, and is not finished.",
                where="reverse-etl state readmit",
                hint="Run the model until the deletion is applied, then readmit the person. Or take the row "
                "out of the model.",
            )
        people = self.state_tables.read(_TABLE, "DISTINCT person", "person", **condition)
        changes = {"state": WithheldState.READMITTED.value}
        if people:
            self.state_tables.execute(
                self.state_tables.update(
                    _TABLE, changes, **self.state_tables.in_scope, person=[person for (person,) in people]
                )
            )
        return len(people)

    def has_deleted(self) -> bool:
        """Return whether people are deleted whose rows are still in the state."""
        return bool(
            self.state_tables.read(
                _TABLE, "1", "1 LIMIT 1", **self.state_tables.in_scope, state=WithheldState.DELETED.value
            )
        )

    def find_deleted(self) -> frozenset[str]:
        """Return the hashes of the identifiers of the people whose rows are still to be erased."""
        deleted = WithheldState.DELETED.value
        rows = self.state_tables.read(_TABLE, "digest", "digest", **self.state_tables.in_scope, state=deleted)
        return frozenset(digest for (digest,) in rows)

    def erase(self, models: Mapping[str, Sequence[str]], deletion_snapshots: Mapping[str, str]) -> None:
        """Delete all rows of deleted people from the state. May be repeated.

        `models` are the tables of all models, by name, `deletion_snapshots` the snapshots of models of
        deletions: there a row stays under the hash of its person, so that it is not asked for again.
        """
        renamed = [self._rename_row(model, table) for model, table in deletion_snapshots.items()]
        self.state_tables.commit(renamed)
        self.state_tables.execute(*self._collect_erased(models))
        statements = [self._delete_rows(model, table) for model, tables in models.items() for table in tables]
        for table, column in _KEYED_TABLES.items():
            statements += self._delete_keyed(table, column)
        statements += self._delete_from_journal()
        erased = self.state_tables.update(
            _TABLE,
            {"state": WithheldState.ERASED.value},
            **self.state_tables.in_scope,
            state=WithheldState.DELETED.value,
        )
        self.state_tables.commit((*statements, erased))

    def _collect_erased(self, models: Mapping[str, Sequence[str]]) -> Iterator[Statement]:
        """Yield the statements that collect the row keys of deleted people, by model.

        A row that shares one identifier with the person is the person's, whatever it is known by.
        """
        dialect, scope = self.state_tables.dialect, self.state_tables.scope.key
        erased = dialect.temp_table(_ERASED)
        yield dialect.replace_empty_temp_table(_ERASED, "model VARCHAR, row_key VARCHAR")
        digests = (
            *(self._digest_sql(kind) for kind in IdentifierType),
            self._hash.sql("retl_identity"),
        )
        for model, tables in models.items():
            for table in tables:
                for digest in digests:
                    yield Statement.insert(
                        erased,
                        f"INSERT INTO {erased} SELECT ?, retl_identity FROM {dialect.state_table(table)}\n"
                        f"WHERE {digest} IN ({self._deleted_sql})",
                        (model, *scope),
                    )

    def _rename_row(self, model: str, table: str) -> Statement:
        name, identity = self.state_tables.dialect.state_table(table), self._hash.sql("retl_identity")
        blanks = "".join(f", {column} = NULL" for column in IDENTIFIER_COLUMNS.values())
        return Statement.change(
            name,
            f"UPDATE {name} SET retl_identity = {quote_literal(KEY_PREFIX)} || {identity}{blanks}\n"
            f"WHERE {identity} IN (SELECT person FROM {self._table} WHERE {IN_SCOPE_SQL} "
            f"AND model = ? AND state = '{WithheldState.DELETED}')",
            (*self.state_tables.scope.key, model),
        )

    def _delete_rows(self, model: str, table: str) -> Statement:
        name, erased = self.state_tables.dialect.state_table(table), self._erased
        return Statement.change(
            name,
            f"DELETE FROM {name} WHERE retl_identity IN (SELECT row_key FROM {erased} WHERE model = ?)",
            (model,),
        )

    def _delete_keyed(self, table: str, column: str) -> Iterator[Statement]:
        """Yield the statements that delete what is kept of a person by an identifier, or by a row's key."""
        name, scope = self.state_tables.dialect.state_table(table), self.state_tables.scope.key
        delete = f"DELETE FROM {name} WHERE {IN_SCOPE_SQL}\nAND "
        erased = f"SELECT CONCAT(model, '|', row_key) FROM {self._erased}"
        yield Statement.change(
            name, f"{delete}{self._hash.sql(column)} IN ({self._deleted_sql})", (*scope, *scope)
        )
        yield Statement.change(name, f"{delete}CONCAT(model, '|', {column}) IN ({erased})", scope)

    def _delete_from_journal(self) -> Iterator[Statement]:
        """Yield the statements that delete people from the journal, by identifiers and by row keys."""
        name, scope = self.state_tables.dialect.state_table("journal"), self.state_tables.scope.key
        delete = f"DELETE FROM {name} WHERE {IN_SCOPE_SQL}\nAND "
        for kind in IdentifierType:
            hashed = self._hash.sql(kind.value, f"{kind.value}:")
            digest = f"CASE WHEN pii = 'values' THEN {hashed} ELSE {kind.value} END"
            yield Statement.change(name, f"{delete}{digest} IN ({self._deleted_sql})", (*scope, *scope))
        row_key = f"CASE WHEN pii = 'values' THEN {self._hash.sql('identity')} ELSE identity END"
        erased = f"SELECT CONCAT(model, '|', {self._hash.sql('row_key')}) FROM {self._erased}"
        yield Statement.change(name, f"{delete}CONCAT(model, '|', {row_key}) IN ({erased})", scope)

    @property
    def _erased(self) -> TableName:
        return self.state_tables.dialect.temp_table(_ERASED)

    @property
    def _deleted_sql(self) -> str:
        return f"SELECT digest FROM {self._table} WHERE {IN_SCOPE_SQL} AND state = '{WithheldState.DELETED}'"

    def _digest_sql(self, kind: IdentifierType) -> Sql:
        return self._hash.sql(IDENTIFIER_COLUMNS[kind], f"{kind.value}:")

    @property
    def _table(self) -> TableName:
        return self.state_tables.dialect.state_table(_TABLE)
