"""Statements for conflicting rows: several rows of one identity on a list, or several that share a secondary identifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.staging import comparable_values
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, KEY_COLUMNS, ModelTables
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement

if TYPE_CHECKING:
    from reverse_etl.domain.identifiers import IdentifierType


def collect_duplicates(tables: ModelTables) -> Statement:
    """Collect the identities that several rows of one list have."""
    valid_rows = f"FROM {tables.staged_rows} WHERE retl_problem IS NULL"
    key = "retl_list, retl_identity" if tables.many_lists else "retl_identity"
    repeated_keys = Sql(tables.dialect.repeated_keys_sql(key, valid_rows))
    return _create("conflicts:collect_duplicates", tables, tables.duplicates, repeated_keys=repeated_keys)


def resolve_duplicates(tables: ModelTables) -> tuple[Statement, ...]:
    """Merge rows of one identity that are equal in every column, and reject those that differ, naming the columns."""
    columns = (Sql("retl_list"), KEY_COLUMNS[1], *tables.identifier_columns, *tables.payload_columns)
    values = {
        f", {name.removeprefix(RESERVED_PREFIX)}": value
        for name, value in comparable_values(tables, "").items()
    }
    staged = tables.dialect.temp_table(tables.staged_table)
    return (
        _create("conflicts:collect_distinct_rows", tables, tables.distinct, columns=columns),
        Statement.change(staged, *_render("conflicts:delete_duplicates", tables)),
        Statement.insert(
            staged,
            *_render(
                "conflicts:insert_distinct_rows",
                tables,
                columns=columns,
                labeled_values=values,
                problem=RowProblem.DUPLICATE,
            ),
        ),
    )


@dataclass(frozen=True)
class SharedIdentifier:
    """One identifier type of a model's rows, of which several rows may have the same value."""

    tables: ModelTables
    kind: IdentifierType

    @property
    def column(self) -> Sql:
        """Return its column."""
        return IDENTIFIER_COLUMNS[self.kind]

    @property
    def identity_prefix(self) -> str:
        """Return the beginning of an identity that is such an identifier."""
        return f"{self.kind}:"

    @property
    def shared(self) -> str:
        """Return the scratch table of the values that several identities have."""
        return f"shared_{self.kind}_{self.tables.table_key}"

    @property
    def matching_columns(self) -> tuple[Sql, ...]:
        """Return the columns that are equal only in rows of one profile: the identity, and other identifiers."""
        kinds = (kind for kind in PERSONAL_IDENTIFIERS if kind in self.tables.identifiers)
        return (KEY_COLUMNS[1], *(IDENTIFIER_COLUMNS[kind] for kind in kinds if kind is not self.kind))


def collect_shared(identifier: SharedIdentifier) -> Statement:
    """Collect the values of one identifier that belong to several identities.

    `retl_owner` is 1 if the value is itself a row's identity; `retl_shared` is 1 if several other rows carry it.
    """
    return _create("conflicts:collect_shared", identifier.tables, identifier.shared, identifier=identifier)


def mark_shared(identifier: SharedIdentifier, *, reject: bool) -> Statement:
    """Mark the rows with these values: a shared one is left out of what is sent, or with `reject` its rows are rejected.

    A row whose identity is another row's secondary identifier is rejected.
    """
    tables = identifier.tables
    text = _render(
        "conflicts:mark_shared",
        tables,
        identifier=identifier,
        conflict=RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER,
        shared=RowProblem.SHARED_IDENTIFIER if reject else None,
    )
    return tables.mark_rows(*text)


def mark_claimed(identifier: SharedIdentifier, *, rekeyed: bool) -> Statement:
    """Leave the secondary identifier out of planned upserts if it belongs to another desired row's profile at Klaviyo.

    A stored row has the identifier, and a desired row has the stored row's identity, e-mail or id: also under a new identity, since
    Klaviyo updates the same profile. Rows on lists that the model no longer owns do not count: Klaviyo's data may have changed since.
    With `rekeyed`, stored rows are matched by the current identifiers.
    """
    tables = identifier.tables
    return tables.mark_rows(
        *_render("conflicts:mark_claimed", tables, identifier=identifier, rekeyed=rekeyed)
    )


def count_marks(tables: ModelTables) -> Statement:
    """Return, of the marks that were made last, (rejected rows, rows without an identifier, identities of these)."""
    marks = tables.dialect.temp_table(tables.marks.names[-1])
    return Statement.read(
        "SELECT COUNT(retl_problem), COUNT(retl_omitted),\n"
        f"COUNT(DISTINCT CASE WHEN retl_omitted IS NOT NULL THEN retl_identity END) FROM {marks}"
    )


def count_upserts_of_others(identifier: SharedIdentifier, *, rekeyed: bool) -> Statement:
    """Return how many planned upserts have an identifier that another stored row has: if none, none is claimed."""
    return Statement.read(
        *_render(
            "conflicts:count_upserts_of_others", identifier.tables, identifier=identifier, rekeyed=rekeyed
        )
    )


def _create(template: str, tables: ModelTables, table: str, **values: object) -> Statement:
    return Statement.create(tables.dialect.temp_table(table), *_render(template, tables, **values))


def _render(template: str, tables: ModelTables, **values: object) -> tuple[Sql, tuple[object, ...]]:
    return render_sql(f"planning/sql/{template}", tables.dialect, tables=tables, **values)
