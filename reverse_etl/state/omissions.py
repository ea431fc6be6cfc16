"""Secondary identifiers that another profile in Klaviyo has: rows are sent without them.

An omission is of one row, one identifier type and one value, of which only a digest is kept. It stays until
the model's value changes, the row leaves, or `retry` ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import IdentifierType, mask_identity
from reverse_etl.state.shared_query import SharedQuery
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.tables import IN_SCOPE_SQL, in_scope_sql, reading
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Statement, quote_literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import TableName

_MAX_SEQS: Final = 1_000  # in one statement


@dataclass(frozen=True)
class Omission:
    """An identifier of a delta that another profile has, with Klaviyo's error code."""

    seq: int
    kind: IdentifierType
    code: str


@dataclass(frozen=True)
class OmittedRows:
    """The rows of a list that are sent without an identifier; `example` is the identity of one of them."""

    kind: IdentifierType
    code: str
    rows: int
    example: str

    def describe(self, name: str) -> str:
        """Return a sentence for people; `name` is that of the list or model."""
        rows = "1 row is" if self.rows == 1 else f"{self.rows:,} rows are"
        return (
            f"{name}: {rows} sent without {self.kind.value}, which another profile in Klaviyo has "
            f"({self.code}), for example {mask_identity(self.example)}. Correct the value in the model. "
            "Or, if both profiles are one person, merge them in Klaviyo; if not, remove the value from the "
            "other profile. Then run reverse-etl retry. To see all such rows: reverse-etl status --held"
        )


@dataclass(frozen=True)
class Omissions:
    """The omissions of the models of one account and project."""

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query that counts the current omissions."""
        groups = ("model", "list_id", "identifier", "code")
        return SharedQuery(
            ("omissions",),
            (*groups, "COUNT(*)", "MIN(row_key)"),
            f"FROM {self._table}\nWHERE {IN_SCOPE_SQL}\nGROUP BY {', '.join(groups)}",
            ", ".join(groups),
            self.state_tables.scope.key,
            integers=(4,),
        )

    @reading("omissions")
    def by_list(self) -> Mapping[tuple[str, str], Sequence[OmittedRows]]:
        """Return the current omissions by model and list id."""
        omitted: dict[tuple[str, str], list[OmittedRows]] = {}
        for model, list_id, kind, code, rows, example in self.state_tables.fetch_shared(self.shared_query):
            entry = OmittedRows(IdentifierType(kind), code, int(rows), example)
            omitted.setdefault((model, list_id), []).append(entry)
        return omitted

    @reading("omissions")
    def of_rows(self, model: str, row_keys: Sequence[str]) -> Mapping[tuple[str, str, str], str]:
        """Return Klaviyo's error codes by list id, row key and identifier type, of some rows of a model."""
        if not (row_keys and self.exist(model)):
            return {}
        rows = self.state_tables.read(
            "omissions",
            "list_id, row_key, identifier, code",
            "list_id, row_key, identifier",
            **self.state_tables.in_scope,
            model=model,
            row_key=[*row_keys],
        )
        return {(list_id, row_key, identifier): code for list_id, row_key, identifier, code in rows}

    def exist(self, model: str) -> bool:
        """Return whether a model has omissions. Most have none: then nothing else is asked or changed."""
        return any(name == model for name, _ in self.by_list())

    def record(self, run_id: str, model: str, tables: ModelTables, omissions: Sequence[Omission]) -> None:
        """Store the omissions of a run's deltas, in place of earlier ones of the same rows.

        The deltas lose the identifiers: a removal must not look another profile up by them.
        """
        run = RunDeltas(tables, run_id, model)
        seqs_by_reason: dict[tuple[IdentifierType, str], list[int]] = {}
        for omission in omissions:
            seqs_by_reason.setdefault((omission.kind, omission.code), []).append(omission.seq)
        for (kind, code), seqs in seqs_by_reason.items():
            for part in batched(seqs, _MAX_SEQS):
                self.state_tables.commit(self._replace(run, kind, code, part))

    def _replace(
        self, run: RunDeltas, kind: IdentifierType, code: str, seqs: Sequence[int]
    ) -> tuple[Statement, ...]:
        deltas, run_id, model = run.stored, run.run_id, run.model
        placeholders = ", ".join("?" for _ in seqs)
        column = IDENTIFIER_COLUMNS[kind]
        rows = (
            f"FROM {deltas} AS d WHERE d.retl_run_id = ? AND d.retl_seq IN ({placeholders}) "
            f"AND d.{column} IS NOT NULL"
        )
        same_row = "d.retl_list_id = retl_x.list_id AND d.retl_identity = retl_x.row_key"
        return (
            Statement.change(
                self._table,
                f"DELETE FROM {self._table} AS retl_x WHERE {IN_SCOPE_SQL} AND model = ?\n"
                f"AND identifier = ? AND EXISTS (SELECT 1 {rows} AND {same_row})",
                (*self.state_tables.scope.key, model, kind.value, run_id, *seqs),
            ),
            Statement.insert(
                self._table,
                f"INSERT INTO {self._table}\nSELECT ?, ?, ?, d.retl_list_id, d.retl_identity, "
                f"?, ?, MD5(d.{column}), ? {rows}",
                (*self.state_tables.scope.key, model, kind.value, code, run_id, run_id, *seqs),
            ),
            Statement.change(
                deltas,
                f"UPDATE {deltas} SET {column} = NULL WHERE retl_run_id = ? AND retl_seq IN ({placeholders})",
                (run_id, *seqs),
            ),
        )

    def mark_staged_rows(self, model: str, tables: ModelTables) -> Statement:
        """Return the statement that leaves omitted identifiers out of what staged rows send."""
        values = " ".join(
            f"WHEN {quote_literal(kind.value)} THEN s.{IDENTIFIER_COLUMNS[kind]}"
            for kind in tables.secondary_identifiers
        )
        return tables.mark_rows(
            "SELECT s.retl_list, s.retl_identity, CAST(NULL AS VARCHAR) AS retl_problem, "
            "CAST(NULL AS VARCHAR) AS retl_detail, CAST(r.identifier AS VARCHAR) AS retl_omitted\n"
            f"FROM {tables.staged_rows} AS s JOIN {tables.dialect.temp_table(tables.lists)} AS l "
            f"ON s.retl_list = l.retl_list\nJOIN {self._table} AS r "
            "ON r.list_id = l.retl_list_id AND r.row_key = s.retl_identity\n"
            f"WHERE s.retl_problem IS NULL AND r.digest = MD5(CASE r.identifier {values} END)\n"
            f"AND {in_scope_sql('r')} AND r.model = ?",
            (*self.state_tables.scope.key, model),
        )

    def delete_ended(self, model: str, tables: ModelTables) -> None:
        """End the omissions whose row is no longer staged with the same identifier.

        One statement for each type: Snowflake refuses a correlated subquery with OR.
        """
        if not self.exist(model):
            return
        lists = tables.dialect.temp_table(tables.lists)
        for kind in IdentifierType:
            is_staged = (
                f"EXISTS (SELECT 1 FROM {tables.staged_rows} AS s "
                f"JOIN {lists} AS l ON s.retl_list = l.retl_list\n"
                f"  WHERE l.retl_list_id = retl_x.list_id AND s.retl_identity = retl_x.row_key "
                f"AND MD5(s.{IDENTIFIER_COLUMNS[kind]}) = retl_x.digest)"
            )
            condition = f"NOT {is_staged}" if kind in tables.secondary_identifiers else "TRUE"
            self._delete(model, f"identifier = {quote_literal(kind.value)} AND {condition}")

    def clear(self, model: str) -> None:
        """End all omissions of a model, so that the next run sends its rows with all their identifiers."""
        self._delete(model, "TRUE")

    def _delete(self, model: str, condition: str) -> None:
        self.state_tables.commit(
            (
                Statement.change(
                    self._table,
                    f"DELETE FROM {self._table} AS retl_x\n"
                    f"WHERE {IN_SCOPE_SQL} AND model = ? AND {condition}",
                    (*self.state_tables.scope.key, model),
                ),
            )
        )

    @property
    def _table(self) -> TableName:
        return self.state_tables.dialect.state_table("omissions")
