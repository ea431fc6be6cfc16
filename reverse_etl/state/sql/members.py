"""Statements that compare a list's members, as they were read, with the rows that were applied to it.

A row's person is on the list if a member has its identity, its e-mail or one of its ids. A member that shares only the
phone may be another person: it neither matches the row nor counts as unmanaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS, IdentifierType
from reverse_etl.state.sql.deltas import deltas_table
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables
from reverse_etl.warehouse.statement import Sql, Statement, quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMPARISON_COUNTS: Final = (
    "applied",
    "uncertain",
    "members",
    "missing",
    "unmanaged",
    "already_members",
    "opted_out",
    "unconfirmed",
    "several_members",
)
MAX_DOCUMENT_BYTES: Final = 4_000_000  # some 30,000 members; Snowflake reads up to 16 MB of JSON in one value
_MEMBER_COLUMNS = (*IDENTIFIER_COLUMNS.values(), "retl_joined_at", "retl_joined_late")


@dataclass(frozen=True)
class ListComparison:
    """The comparison of one list with its rows, in four scratch tables.

    `members` are the members that were read. `matched` pairs rows with members, `missing` are rows without a
    member, `unmanaged` members without a row. `consents_of` is the account, the project and the model of rows
    of consent: those that Klaviyo never confirmed are not missing.
    """

    tables: ModelTables
    list_id: str
    consents_of: tuple[str, str, str] | None = None

    @property
    def members(self) -> str:
        """Return the table of the members: identifiers, when they joined, and that plus a tolerance of a minute.

        A person without a time opted out: they are no member, and their rows are not missing.
        """
        return f"members_{self.tables.table_key}"

    @property
    def matched(self) -> str:
        """Return the table of the rows that have a member."""
        return f"met_{self.tables.table_key}"

    @property
    def missing(self) -> str:
        """Return the table of the rows that have none."""
        return f"missing_{self.tables.table_key}"

    @property
    def unmanaged(self) -> str:
        """Return the table of the members that have no row."""
        return f"others_{self.tables.table_key}"

    @property
    def temp_tables(self) -> tuple[str, ...]:
        """Return all four."""
        return (self.members, self.matched, self.missing, self.unmanaged)

    @property
    def matching_columns(self) -> tuple[tuple[str, Sql, bool], ...]:
        """Return, of each identifier, the beginning of such an identity, the column, and whether equal values prove the same person."""
        return tuple(
            (f"{kind}:", column, kind in PERSONAL_IDENTIFIERS) for kind, column in IDENTIFIER_COLUMNS.items()
        )

    @property
    def identity_prefixes(self) -> tuple[tuple[str, Sql], ...]:
        """Return the beginning of an identity of each identifier type, and the type's column."""
        return tuple((prefix, column) for prefix, column, _ in self.matching_columns)

    @property
    def member_identity(self) -> Sql:
        """Return the identity that a member m would have as a row of the model."""
        prefixes = {kind: quote_literal(f"{kind}:") for kind in IdentifierType}
        cases = " ".join(
            f"WHEN m.{IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {prefixes[kind]} || m.{IDENTIFIER_COLUMNS[kind]}"
            for kind in self.tables.identifiers
        )
        profile_id = IdentifierType.PROFILE_ID
        return Sql(f"CASE {cases} ELSE {prefixes[profile_id]} || m.{IDENTIFIER_COLUMNS[profile_id]} END")


def create_members(comparison: ListComparison) -> Statement:
    """Create the empty table of the members."""
    dialect = comparison.tables.dialect
    columns = ", ".join(f"{name} VARCHAR" for name in _MEMBER_COLUMNS)
    return dialect.replace_empty_temp_table(comparison.members, columns)


def insert_members(comparison: ListComparison, rows: Iterable[tuple[str | None, ...]]) -> Iterator[Statement]:
    """Insert members, each with the columns of `create_members`, many in a statement.

    They are one bound value, a JSON document: no file holds them, and no text of SQL grows with them.
    """
    dialect = comparison.tables.dialect
    table = dialect.temp_table(comparison.members)
    text = f"INSERT INTO {table} {dialect.document_rows_sql(len(_MEMBER_COLUMNS))}"
    for document in _build_documents(rows):
        yield Statement.insert(table, text, (document,))


def _build_documents(rows: Iterable[tuple[str | None, ...]]) -> Iterator[str]:
    """Yield JSON arrays of all rows, each of MAX_DOCUMENT_BYTES at most, or of one row."""
    part: list[bytes] = []
    size = 0
    for row in rows:
        encoded = orjson.dumps(row)
        if part and size + len(encoded) > MAX_DOCUMENT_BYTES:
            yield f"[{b','.join(part).decode()}]"
            part, size = [], 0
        part.append(encoded)
        size += len(encoded) + 1
    if part:
        yield f"[{b','.join(part).decode()}]"


def compare_members(comparison: ListComparison) -> tuple[Statement, ...]:
    """Create the tables of the matched rows, the missing rows and the unmanaged members."""
    temp_table = comparison.tables.dialect.temp_table
    return (
        Statement.create(temp_table(comparison.matched), *_render("matched_members", comparison)),
        Statement.create(temp_table(comparison.missing), *_render("members:missing_members", comparison)),
        Statement.create(temp_table(comparison.unmanaged), *_render("members:unmanaged_members", comparison)),
    )


def select_comparison_counts(comparison: ListComparison) -> Statement:
    """Return one row with the numbers of COMPARISON_COUNTS."""
    return Statement.read(*_render("comparison_counts", comparison))


def select_unmatched_contacts(comparison: ListComparison) -> Statement:
    """Return (e-mail, phone) of the rows without a sure match; NULL for one that a row lacks."""
    return Statement.read(*_render("members:unmatched_contacts", comparison))


def select_missing_sample(comparison: ListComparison, size: int) -> Statement:
    """Return (identity) of the first missing rows."""
    return _select_first(comparison, comparison.missing, size)


def select_unmanaged_sample(comparison: ListComparison, size: int) -> Statement:
    """Return (identity) of the first unmanaged members."""
    return _select_first(comparison, comparison.unmanaged, size)


def select_several_members_sample(comparison: ListComparison, size: int) -> Statement:
    """Return (identity, profile id) of the first rows that have several members."""
    return Statement.read(*_render("several_members_sample", comparison, size=size))


def _select_first(comparison: ListComparison, table: str, size: int) -> Statement:
    name = comparison.tables.dialect.temp_table(table)
    return Statement.read(f"SELECT retl_identity FROM {name} ORDER BY retl_identity LIMIT {size}")


def select_unmatched_but_present(
    comparison: ListComparison, scope_key: tuple[str, str], model: str
) -> Statement:
    """Return (identity) of a model's removals that found no profile, and whose person is on the list now."""
    account, project = scope_key
    text = _render("members:unmatched_but_present", comparison, account=account, project=project, model=model)
    return Statement.read(*text)


def mark_missing_uncertain(comparison: ListComparison) -> Statement:
    """Make the missing rows uncertain: the next run sends those again that are still desired."""
    return Statement.insert(
        deltas_table(comparison.tables), *_render("members:mark_missing_uncertain", comparison)
    )


def adopt_members(comparison: ListComparison) -> tuple[Statement, ...]:
    """Count all members of the list as added by this job. Run it in one transaction, after `compare_members`.

    Rows whose person joined before they were sent count as first sent when that person joined. Each unmanaged member becomes a
    row, without a value that Klaviyo was given.
    """
    tables = comparison.tables
    state_table = tables.dialect.state_table
    return (
        *(
            Statement.change(
                state_table(table), *_render("members:backdate_members", comparison, table=table)
            )
            for table in (tables.snapshot, tables.deltas)
        ),
        Statement.insert(state_table(tables.snapshot), *_render("members:adopt_members", comparison)),
    )


def _render(template: str, comparison: ListComparison, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render(template, comparison.tables, comparison=comparison, **values)
