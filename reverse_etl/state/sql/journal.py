"""The statement that writes the journal: the settled rows of a run's model, in one piece."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.config.journal import Pii
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS
from reverse_etl.warehouse.statement import Sql, Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.domain.columns import Column
    from reverse_etl.state.person_hash import PersonHash
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class JournaledColumn:
    """Whether a column of a delta d differs from the snapshot's row s, and the text that says how, after a comma."""

    is_changed: Sql
    text: Sql


@dataclass(frozen=True)
class JournalEntry:
    """The facts that all rows of one model share in the journal: the owner, the time, and how people are named."""

    tables: ModelTables
    account: str
    project: str
    recorded_at: str
    pii: Pii
    person_hash: PersonHash

    @property
    def identity(self) -> Sql:
        """Return the identity of a delta d, or its hash."""
        return self._hash("d.retl_identity")

    @property
    def identifiers(self) -> tuple[Sql, ...]:
        """Return the identifiers of a delta d, or their hashes."""
        return tuple(self._hash(f"d.{column}", f"{kind}:") for kind, column in IDENTIFIER_COLUMNS.items())

    @cached_property
    def changes(self) -> tuple[JournaledColumn, ...]:
        """Return the columns that may differ between a delta and the row that it replaces."""
        return tuple(self._compare_columns())

    def _compare_columns(self) -> Iterator[JournaledColumn]:
        for kind in self.tables.compared_identifiers:
            before, after = (f"{alias}.{IDENTIFIER_COLUMNS[kind]}" for alias in ("s", "d"))
            is_changed = Sql(f"{after} IS NOT NULL AND {after} IS DISTINCT FROM {before}")
            yield JournaledColumn(is_changed, self._change_sql(kind.value, before, after))
        for column in self.tables.payload:
            yield self._compare_column(column)

    def _compare_column(self, column: Column) -> JournaledColumn:
        name, dialect = quote_identifier(column.name), self.tables.dialect
        before, after = (dialect.comparable_sql(f"{alias}.{name}", column) for alias in ("s", "d"))
        is_changed = f"{after} IS DISTINCT FROM {before}"
        if mark := self.tables.clear_marks.get(name):
            is_cleared = f"POSITION({mark} IN COALESCE(d.retl_cleared, '')) > 0"
            is_changed = f"(d.{name} IS NOT NULL OR {is_cleared}) AND {is_changed}"
        elif not self.tables.sends_nulls:
            is_changed = f"d.{name} IS NOT NULL AND {is_changed}"
        texts = (f"CAST({value} AS VARCHAR)" for value in (before, after))
        return JournaledColumn(Sql(is_changed), self._change_sql(column.name.lower(), *texts))

    def _change_sql(self, name: str, before: str, after: str) -> Sql:
        quote, label = (
            self.tables.dialect.quote_literal,
            f',{{"column":{json.dumps(name, ensure_ascii=False)}',
        )
        if self.pii is Pii.NONE:
            return Sql(quote(label + "}"))
        parts = (
            quote(f'{label},"before":'),
            self._json_sql(before),
            quote(',"after":'),
            self._json_sql(after),
            quote("}"),
        )
        return Sql(f"CONCAT({', '.join(parts)})")

    def _json_sql(self, text: str) -> str:
        return f"COALESCE({self.tables.dialect.json_text_sql(self._hash(text))}, 'null')"

    def _hash(self, text: str, prefix: str = "") -> Sql:
        return Sql(text) if self.pii is Pii.VALUES else self.person_hash.sql(text, prefix)


def insert_journal(run: RunDeltas, entry: JournalEntry) -> Statement:
    """Write the rows that receipts settle. May be repeated. Run it after `collect_applied`, before these are applied."""
    name = run.tables.dialect.state_table("journal")
    return Statement.insert(name, *render("insert_journal", run.tables, run=run, entry=entry))
