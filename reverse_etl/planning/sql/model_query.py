"""The query of a model as it is staged: its columns in canonical form, the checks of single rows, and the comparison with sent rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import ColumnKind
from reverse_etl.domain.identifiers import SPACES, UNPRINTABLE, IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.diff import Comparison, ModelDiff
from reverse_etl.planning.sql.identifiers import (
    CANONICAL_PATTERNS,
    as_text_sql,
    canonical_sql,
    email_invisible_sql,
    email_malformed_sql,
    email_too_long_sql,
    id_too_long_sql,
    is_canonical_sql,
    phone_has_trunk_zero_sql,
    phone_invisible_sql,
    phone_malformed_sql,
    row_key_sql,
)
from reverse_etl.warehouse.model_tables import (
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    NO_IDENTITY_PREFIX,
    UPDATED_COLUMN,
    ModelTables,
)
from reverse_etl.warehouse.statement import Sql, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.domain.columns import Column


class StagedPart(Enum):
    """The part of a model that is staged."""

    ALL = "all"
    KEYS = "keys"  # identifiers of all rows, and when each changed
    COMPARED = "compared"  # all values of the rows whose identity was collected


@dataclass(frozen=True)
class PastTimeCheck:
    """A column whose time may not be after `latest`, in the column's own time zone; NULL only if not required."""

    column: Column
    required: bool
    latest: datetime

    @property
    def is_future_sql(self) -> str:
        """Return whether the time is too late. The literal has the column's type: then both have a zone or none."""
        match self.column.kind:
            case ColumnKind.TIMESTAMP_TZ:
                text = self.latest.astimezone(UTC).isoformat(" ", "seconds")
            case ColumnKind.DATE:
                text = self.latest.date().isoformat()
            case _:
                text = self.latest.replace(tzinfo=None).isoformat(" ", "seconds")
        name = quote_identifier(self.column.name)
        return f"{name} > CAST({quote_literal(text)} AS {self.column.type})"


@dataclass(frozen=True)
class Staging:
    """The query of one model, and what its columns become.

    `identifiers` are the columns of the query by identifier type; `list_column` names the list of a row, None if the model has one list.
    `required` are payload columns that no row may leave empty. `updated_at` says when a row last changed, None if the model has no such
    column. `part` are the rows and values that are staged. `sent_list_id` is the list whose rows in the snapshot the rows are
    compared with, to leave out the payload of those that are equal; None stages all rows in full.
    """

    tables: ModelTables
    select: Sql
    identifiers: Mapping[IdentifierType, Column]
    list_column: str | None
    past_times: Sequence[PastTimeCheck] = ()
    required: Sequence[Column] = ()
    updated_at: Column | None = None
    part: StagedPart = StagedPart.ALL
    sent_list_id: str | None = None

    @property
    def reads_values(self) -> bool:
        """Return whether the payload is staged; if not, it is NULL, and only identifiers are checked."""
        return self.part is not StagedPart.KEYS

    @property
    def only_compared(self) -> bool:
        """Return whether only rows are staged whose identity was collected, or that have none."""
        return self.part is StagedPart.COMPARED

    @property
    def target(self) -> str:
        """Return the scratch table of the rows."""
        return self.tables.completed if self.only_compared else self.tables.staged_table

    @property
    def updated_at_value(self) -> Sql | None:
        """Return a row's value of `retl_updated_at`, None if the model has no `updated_at`."""
        if self.updated_at is None:
            return None
        return Sql(self.tables.dialect.plain_text_sql(quote_identifier(self.updated_at.name)))

    @property
    def compares_values(self) -> bool:
        """Return whether the rows are compared with the snapshot's while they are staged."""
        return self.sent_list_id is not None and self.reads_values

    @property
    def assumes_equal(self) -> bool:
        """Return whether the rows without values equal the snapshot's, but for those that are staged in full later."""
        return self.sent_list_id is not None and not self.reads_values

    @property
    def own_columns(self) -> tuple[Sql, ...]:
        """Return the columns of the staged rows that say nothing of the snapshot's, without the payload."""
        tables = self.tables
        return (
            *(Sql("retl_list"), KEY_COLUMNS[1], *tables.identifier_columns),
            *(Sql("retl_problem"), Sql("retl_detail")),
            *((UPDATED_COLUMN,) if self.updated_at else ()),
        )

    @property
    def digest(self) -> Sql:
        """Return a digest of a row's values, by which the rejection of a row without identity is known.

        It may change with the engine's version; it only tells new rejections from known ones.
        """
        columns = (*self.tables.identifier_columns, *self.tables.payload_columns)
        values = self.tables.dialect.concat_sql([f"CAST({column} AS VARCHAR)" for column in columns])
        return Sql(f"'{NO_IDENTITY_PREFIX}' || MD5({values})")

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Return how each column of a row d is compared with the snapshot's row k."""
        return ModelDiff(self.tables, {}).comparisons

    @property
    def list_name(self) -> Sql:
        """Return a row's value of `retl_list`: NULL if it names no list, or if its name is not usable."""
        if not self.list_column:
            return Sql("CAST('' AS VARCHAR)")
        return Sql(f"CASE WHEN NOT ({self._list_is_invisible}) THEN {self._trimmed_list} END")

    @property
    def _trimmed_list(self) -> str:
        dialect = self.tables.dialect
        raw = dialect.plain_text_sql("retl_list_raw")
        return f"NULLIF({dialect.remove_characters_sql(raw, SPACES + UNPRINTABLE, ends_only=True)}, '')"

    @property
    def _list_is_invisible(self) -> str:
        return self.tables.dialect.has_character_sql(self._trimmed_list, UNPRINTABLE)

    @property
    def identity(self) -> Sql:
        """Return a row's value of `retl_identity`."""
        if self.tables.key:
            return Sql(row_key_sql(self.tables.dialect, self.tables.key))
        cases = " ".join(
            f"WHEN {IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {quote_literal(kind + ':')} || {IDENTIFIER_COLUMNS[kind]}"
            for kind in self.tables.identifiers
        )
        return Sql(f"CASE {cases} END")

    @property
    def canonical_flags(self) -> dict[Sql, Sql]:
        """Return, by scratch column, whether an identifier of the query is canonical and well-formed as it is."""
        return {
            _canonical_flag(kind): Sql(is_canonical_sql(self.tables.dialect, kind, self.identifiers[kind]))
            for kind in CANONICAL_PATTERNS
            if kind in self.identifiers
        }

    @property
    def identifier_values(self) -> dict[Sql, Sql]:
        """Return each identifier's canonical value by its column."""
        return {column: Sql(self._canonical_value(kind)) for kind, column in IDENTIFIER_COLUMNS.items()}

    @property
    def raw_phone_checks(self) -> dict[Sql, Sql]:
        """Return the checks of a phone as the model has it, by scratch column; the canonical form hides what they look for."""
        column = self.identifiers.get(IdentifierType.PHONE)
        if column is None:
            return {}
        dialect = self.tables.dialect
        checks = {
            "retl_phone_invisible": phone_invisible_sql(dialect, column),
            "retl_phone_trunk_zero": phone_has_trunk_zero_sql(dialect, column),
        }
        return {Sql(name): _unless_canonical(IdentifierType.PHONE, check) for name, check in checks.items()}

    @property
    def stored_payload(self) -> tuple[Sql, ...]:
        """Return the payload as the staged table holds it."""
        dialect = self.tables.dialect
        if not self.reads_values:
            return tuple(
                Sql(f"CAST(NULL AS {dialect.storage_type(column)}) AS {quote_identifier(column.name)}")
                for column in self.tables.payload
            )
        return tuple(Sql(dialect.stored_column_sql(column)) for column in self.tables.payload)

    @cached_property
    def checks(self) -> tuple[tuple[Sql, RowProblem], ...]:
        """Return the checks of single rows in their order, each with the problem of a row that fails it."""
        checks = (*self._key_checks(), *self._email_checks(), *self._phone_checks(), *self._id_checks())
        if not self.reads_values:
            return tuple((Sql(check), problem) for check, problem in checks)
        times = ((check, RowProblem.INFINITE_TIME) for check in self.infinite_time_checks.values())
        nulls = ((check, RowProblem.NULL_VALUE) for check in self.null_checks.values())
        missing = ((check, RowProblem.MISSING_VALUE) for check in self.missing_checks.values())
        past_times = ((Sql(check), problem) for check, problem in self._past_time_checks())
        return (*((Sql(check), problem) for check, problem in checks), *times, *nulls, *missing, *past_times)

    @cached_property
    def null_checks(self) -> dict[str, Sql]:
        """Return, by column name, whether it is NULL, for the columns that may not be; `retl_detail` names the column."""
        return {
            column.name: Sql(self.tables.dialect.is_null_sql(column))
            for column in self.tables.not_null_columns
        }

    @cached_property
    def missing_checks(self) -> dict[str, Sql]:
        """Return, by column name, whether it is empty, for the columns that every row needs."""
        return {column.name: Sql(_is_empty_sql(column)) for column in self.required}

    @cached_property
    def infinite_time_checks(self) -> dict[str, Sql]:
        """Return, by column name, whether its date or time is infinite; `retl_detail` names the column."""
        checks = (
            (column.name, self.tables.dialect.is_infinite_time_sql(column)) for column in self.tables.payload
        )
        return {name: Sql(check) for name, check in checks if check is not None}

    @property
    def named_checks(self) -> tuple[tuple[str, Sql], ...]:
        """Return the checks whose column `retl_detail` names, in the order of `checks`."""
        if not self.reads_values:
            return ()
        return (
            *self.infinite_time_checks.items(),
            *self.null_checks.items(),
            *self.missing_checks.items(),
        )

    def _canonical_value(self, kind: IdentifierType) -> str:
        if kind not in self.identifiers:
            return "CAST(NULL AS VARCHAR)"
        column = self.identifiers[kind]
        value = canonical_sql(self.tables.dialect, kind, column)
        if kind not in CANONICAL_PATTERNS:
            return value
        return f"CASE WHEN {_canonical_flag(kind)} THEN {as_text_sql(self.tables.dialect, column)} ELSE {value} END"

    def _key_checks(self) -> Iterator[tuple[str, RowProblem]]:
        if self.tables.many_lists:
            yield f"{self._trimmed_list} IS NULL", RowProblem.NO_LIST
            yield self._list_is_invisible, RowProblem.LIST_INVISIBLE
        if self.tables.key:
            yield f"{row_key_sql(self.tables.dialect, self.tables.key)} IS NULL", RowProblem.NO_KEY
        if self.tables.identifiers:
            columns = (IDENTIFIER_COLUMNS[kind] for kind in self.tables.identifiers)
            yield " AND ".join(f"{column} IS NULL" for column in columns), RowProblem.NO_IDENTIFIER

    def _email_checks(self) -> Iterator[tuple[str, RowProblem]]:
        if IdentifierType.EMAIL in self.tables.identifiers:
            email, dialect = IDENTIFIER_COLUMNS[IdentifierType.EMAIL], self.tables.dialect
            for check, problem in (
                (email_too_long_sql(email), RowProblem.EMAIL_TOO_LONG),
                (email_invisible_sql(dialect, email), RowProblem.EMAIL_INVISIBLE),
                (email_malformed_sql(dialect, email), RowProblem.EMAIL_MALFORMED),
            ):
                yield _unless_canonical(IdentifierType.EMAIL, check), problem

    def _phone_checks(self) -> Iterator[tuple[str, RowProblem]]:
        if IdentifierType.PHONE in self.tables.identifiers:
            malformed = phone_malformed_sql(self.tables.dialect, IDENTIFIER_COLUMNS[IdentifierType.PHONE])
            yield "retl_phone_invisible", RowProblem.PHONE_INVISIBLE
            yield "retl_phone_trunk_zero", RowProblem.PHONE_TRUNK_ZERO
            yield _unless_canonical(IdentifierType.PHONE, malformed), RowProblem.PHONE_MALFORMED

    def _past_time_checks(self) -> Iterator[tuple[str, RowProblem]]:
        for check in self.past_times:
            if check.required:
                yield f"{quote_identifier(check.column.name)} IS NULL", RowProblem.NO_TIME
            yield check.is_future_sql, RowProblem.FUTURE_TIME

    def _id_checks(self) -> Iterator[tuple[str, RowProblem]]:
        for kind in (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID):
            if kind in self.tables.identifiers:
                yield id_too_long_sql(IDENTIFIER_COLUMNS[kind]), RowProblem.ID_TOO_LONG


def _is_empty_sql(column: Column) -> str:
    name = quote_identifier(column.name)
    return f"NULLIF(TRIM({name}), '') IS NULL" if column.kind is ColumnKind.TEXT else f"{name} IS NULL"


def _unless_canonical(kind: IdentifierType, check: str) -> Sql:
    # Only CASE skips what it does not need; AND may evaluate both sides.
    return Sql(f"CASE WHEN {_canonical_flag(kind)} THEN FALSE ELSE {check} END")


def _canonical_flag(kind: IdentifierType) -> Sql:
    return Sql(f"retl_is_canonical_{kind}")
