"""The kept responses to the requests of models, by the row that each is about.

A model reads them as `source('reverse_etl', MODEL)`: a query of the state's table under a name of its own,
which is put around the model's SELECT. So models name no table of the state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import (
    KEY_PREFIX,
    KEY_SEPARATOR,
    IdentifierType,
    canonicalize,
    split_row_key,
)
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.klaviyo.kept_responses import RESPONSE_COLUMNS
from reverse_etl.state.sql.templates import render
from reverse_etl.state.tables import IN_SCOPE_SQL
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.warehouse.statement import Statement, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reverse_etl.klaviyo.kept_responses import KeptResponse
    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.state.tables import StateTables

KEPT_DAYS: Final = 90
_TABLE: Final = "responses"
_RANGES_PER_STATEMENT: Final = 50  # each with a body
_READ_ROWS: Final = 1_000
_ROW_KEYS_PER_STATEMENT: Final = 1_000
_SEPARATORS: Final = re.compile(r"[\s\"',;<>{}()\[\]]+")


@dataclass(frozen=True)
class Responses:
    """The kept responses of one account and project."""

    state_tables: StateTables

    def record(self, run: RunDeltas, responses: Sequence[KeptResponse]) -> None:
        """Store responses to requests of a run, before its receipts are applied."""
        tables, name = self.state_tables, self.state_tables.dialect.state_table(_TABLE)
        for rows in batched([*_split_into_ranges(responses)], _RANGES_PER_STATEMENT):
            text = render(
                "insert_responses",
                run.tables,
                run=run,
                rows=rows,
                owner=(*tables.scope.key, run.model, run.run_id),
                responded_at=tables.now(),
            )
            tables.execute(Statement.insert(name, *text))

    def prune(self, records: Iterable[ModelRecord]) -> None:
        """Delete the responses that are older than KEPT_DAYS, if a model ever described requests.

        Such a model cannot get a surface of another phase, so that its record shows it for ever.
        """
        surfaces = [find_surface(record.surface) for record in records]
        if not any(surface is not None and surface.described_by_model for surface in surfaces):
            return
        tables, name = self.state_tables, self.state_tables.dialect.state_table(_TABLE)
        oldest = format_epoch_seconds(tables.clock.now() - timedelta(days=KEPT_DAYS).total_seconds())
        statement = Statement.change(
            name,
            f"DELETE FROM {name} WHERE {IN_SCOPE_SQL} AND responded_at < ?",
            (*tables.scope.key, oldest),
        )
        tables.execute(statement)

    def erase(self, is_deleted: Callable[[str], bool]) -> None:
        """Delete the responses of all rows whose key, or one of whose responses, names a deleted person.

        `is_deleted` says so of an identity. May be repeated.
        """
        tables, own = self.state_tables, self.state_tables.in_scope
        name = tables.dialect.state_table(_TABLE)
        query = Statement.read(
            f"SELECT DISTINCT row_key, body FROM {name} WHERE {IN_SCOPE_SQL}",
            tables.scope.key,
        )
        deleted_keys = {
            row_key
            for rows in tables.warehouse.stream(query, _READ_ROWS)
            for row_key, body in rows
            if any(map(is_deleted, _find_identities([*split_row_key(row_key), *_find_texts(body)])))
        }
        for row_keys in batched(sorted(deleted_keys), _ROW_KEYS_PER_STATEMENT):
            tables.execute(tables.delete(_TABLE, **own, row_key=[*row_keys]))

    def view_sql(self, model: str, key: Sequence[str]) -> str:
        """Return a query of a model's responses: RESPONSE_COLUMNS, and the columns of `key` as text."""
        dialect = self.state_tables.dialect
        account, project, name = map(dialect.quote_literal, (*self.state_tables.scope.key, model))
        columns = ", ".join((*RESPONSE_COLUMNS, *map(self._key_column_sql, key, range(1, len(key) + 1))))
        return (
            f"SELECT {columns} FROM {dialect.state_table(_TABLE)} "
            f"WHERE account_id = {account} AND project = {project} AND model = {name}"
        )

    def _key_column_sql(self, name: str, number: int) -> str:
        """Return a column of the row key, as `split_row_key` reads it."""
        folds = self.state_tables.dialect.engine.folds_to_upper_case
        separator = quote_literal(KEY_SEPARATOR)
        part = f"SPLIT_PART(SUBSTR(row_key, {len(KEY_PREFIX) + 1}), {separator}, {number})"
        column = quote_identifier(name.upper() if folds else name)
        return f"REPLACE(REPLACE({part}, '%7C', {separator}), '%25', '%') AS {column}"


def _split_into_ranges(responses: Iterable[KeptResponse]) -> Iterator[tuple[Any, ...]]:
    """Yield (first number, last number, values) of each run of consecutive rows of each response."""
    for response in responses:
        values = (response.method, response.path, response.status, response.body, response.body_is_cut)
        first = last = response.seqs[0]
        for seq in response.seqs[1:]:
            if seq != last + 1:
                yield first, last, *values
                first = seq
            last = seq
        yield first, last, *values


def _find_texts(body: str) -> Iterator[str]:
    """Yield the texts and numbers in a kept body, and the e-mails and phones inside of sentences.

    A body that was cut is no JSON: each part of it that may be a text is one.
    """
    try:
        texts = [*_walk_texts(orjson.loads(body or "null"))]
    except (orjson.JSONDecodeError, RecursionError):
        yield from _SEPARATORS.split(body)
        return
    for text in texts:
        yield text
        words = (word.rstrip(".:!?") for word in _SEPARATORS.split(text))
        yield from (word for word in words if word != text and ("@" in word or word.startswith("+")))


def _walk_texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case int() | float():  # an id may be a number
            yield str(value)
        case dict():
            yield from value
            for item in value.values():
                yield from _walk_texts(item)
        case list():
            for item in value:
                yield from _walk_texts(item)


def _find_identities(texts: Iterable[str]) -> Iterator[str]:
    """Yield each identity that a text may be: an e-mail, a phone, an id."""
    for text in texts:
        for kind in IdentifierType:
            if (value := canonicalize(kind, text)) is not None:
                yield f"{kind.value}:{value}"
