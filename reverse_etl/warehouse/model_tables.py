"""The tables of one model: their names, their key and their columns, and SQL that several statements share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.warehouse.statement import Sql, Statement, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect

# Our own columns are written without quotes: every engine then folds their names as it does where the tables are made.
KEY_COLUMNS = (Sql("retl_list_id"), Sql("retl_identity"))
IDENTIFIER_COLUMNS = {kind: Sql(f"retl_{kind}") for kind in IdentifierType}
FIRST_SENT_COLUMN = Sql("retl_first_sent_at")
DELTA_COLUMNS = tuple(
    map(Sql, ("retl_seq", "retl_op", "retl_in_snapshot", "retl_uncertain"))
)  # besides its row
MODEL_TABLES = (
    "snapshot",
    "deltas",
    "rejected",
    "without_profile",
)  # in the state, by the begin of their names
NO_IDENTITY_PREFIX = "row:"  # begins the key of a rejected row that has no identity
CLEARED_COLUMN = Sql("retl_cleared")
UPDATED_COLUMN = Sql("retl_updated_at")
ONLY_CLEARS_COLUMN = Sql("retl_only_clears")


def column_mark(name: str) -> str:
    """Return how `retl_cleared` names a column: a text that no other column's mark contains."""
    return f",{name.lower().replace('%', '%25').replace(',', '%2C')},"


def split_column_marks(text: str) -> tuple[str, ...]:
    """Return the lower-case names of the columns whose marks are in a text, in order.

    >>> split_column_marks(column_mark("tier") + column_mark("A,b"))
    ('tier', 'a,b')
    """
    marks = text.split(",")[1::2]
    return tuple(mark.replace("%2C", ",").replace("%25", "%") for mark in marks)


def omit_flag_column(kind: IdentifierType) -> Sql:
    """Return the column of marked rows that says whether an identifier is left out of what is sent."""
    return Sql(f"retl_omits_{kind}")


def timestamp_sql(dialect: Dialect, column: Column, when: datetime) -> Sql:
    """Return a time as a value of the type of a column, which has a time zone."""
    text = dialect.quote_literal(when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00"))
    return Sql(f"CAST({text} AS {dialect.storage_type(column)})")


@dataclass
class RowMarks:
    """The side tables of a model's staged rows so far. All copies of a model's `ModelTables` share it.

    A side table counts from the moment when the statement that makes it is built. So a statement that is
    built later reads it, or fails.
    """

    # Mutable for safety: the diff, plans, other models and the delivery hold copies of the tables from before
    # the marks. With a value that is passed on, a copy that was forgotten would send rows that are rejected.
    # So nothing that depends on it may be cached. A model's statements are built one after another.
    names: list[str] = field(default_factory=list)
    refused_lists: str = ""


@dataclass(frozen=True)
class ModelTables:
    """The tables of one model in one warehouse: their names, their key and their columns.

    - `dialect` is the warehouse's; `table_key` ends the names of the tables.
    - `identifiers` are the mapped types, in the order that decides a row's identity.
    - `payload` are the other columns, with the types that they have in the warehouse today.
    - `many_lists`: rows name their list.
    - `key`: columns of the payload that are the row key instead of the identity, so that a person may have
      many rows; () for the identity.
    - `append_only`: known rows are neither sent again nor removed.
    - `sends_nulls`: a NULL is a value like any other, which requests print.
    - `clear_columns`: a NULL in one of them clears the value that was sent before. If there are any, the
      model's tables have the column `retl_cleared`.
    - `not_null_columns`: a NULL in one of them rejects its row.
    - `keeps_updated_at`: the model's tables have the column `retl_updated_at`, which says how new a row was.
    - `keeps_without_profile`: nobody is created, and a table keeps the rows whose person Klaviyo does not know.
    - `has_staged_rows`: False for a model that is skipped, so that no statement can read rows that do not exist.
    - `marks`: which side tables the staged rows have.
    """

    dialect: Dialect
    table_key: str
    identifiers: tuple[IdentifierType, ...]
    payload: tuple[Column, ...]
    many_lists: bool
    key: tuple[Column, ...] = ()
    append_only: bool = False
    sends_nulls: bool = False
    clear_columns: tuple[Column, ...] = ()
    not_null_columns: tuple[Column, ...] = ()
    keeps_without_profile: bool = False
    keeps_updated_at: bool = False
    has_staged_rows: bool = True
    marks: RowMarks = field(default_factory=RowMarks, compare=False, repr=False)

    identifier_columns = tuple(IDENTIFIER_COLUMNS.values())

    @cached_property
    def payload_names(self) -> tuple[str, ...]:
        """Return the payload's column names, in the model's order."""
        return tuple(column.name for column in self.payload)

    @cached_property
    def payload_columns(self) -> tuple[Sql, ...]:
        """Return the payload's columns as SQL writes them, in the model's order."""
        return tuple(quote_identifier(name) for name in self.payload_names)

    def fit(self, stored_columns: Mapping[str, Column]) -> bool:
        """Return whether a state table has the payload's columns, in their types, under names by which statements find them."""
        folds = self.dialect.engine.folds_to_upper_case  # then quoted names differ by their case, too
        types = {name if folds else name.lower(): column.type for name, column in stored_columns.items()}
        return all(
            types.get(column.name if folds else column.name.lower()) == self.dialect.storage_type(column)
            for column in self.payload
        )

    def find_column(self, name: str) -> Column:
        """Return a column of the payload by its name in lower case. Raises StopIteration if there is none."""
        return next(column for column in self.payload if column.name.lower() == name)

    @property
    def secondary_identifiers(self) -> tuple[IdentifierType, ...]:
        """Return the mapped types that a row may have besides its identity; the first type is the identity of every row that has it."""
        return () if self.key else self.identifiers[1:]

    @property
    def compared_identifiers(self) -> tuple[IdentifierType, ...]:
        """Return the mapped types that may differ between rows of one key; an identity can't."""
        return self.identifiers if self.key else self.secondary_identifiers

    def sent_identifiers_sql(self, alias: str) -> dict[Sql, Sql]:
        """Return, by column, the value with which a staged row's identifier is sent: NULL if the identifier is left out.

        The column itself keeps the model's value, since a removal that has this identifier may concern the same person.
        """
        return {
            column: Sql(
                f"CASE WHEN {alias}.{omit_flag_column(kind)} THEN NULL ELSE {alias}.{column} END"
                if self.marks.names and kind in self.secondary_identifiers
                else f"{alias}.{column}"
            )
            for kind, column in IDENTIFIER_COLUMNS.items()
        }

    @cached_property
    def row_columns(self) -> tuple[Sql, ...]:
        """Return the columns that the snapshot, the deltas and the rejected rows have in common, in order."""
        cleared = (CLEARED_COLUMN,) if self.clear_columns else ()
        return (
            *KEY_COLUMNS,
            *IDENTIFIER_COLUMNS.values(),
            FIRST_SENT_COLUMN,
            *cleared,
            *((UPDATED_COLUMN,) if self.keeps_updated_at else ()),
            *self.payload_columns,
        )

    @cached_property
    def delta_columns(self) -> tuple[Sql, ...]:
        """Return the columns of the plan's deltas besides the key and the columns of the known row."""
        cleared = (CLEARED_COLUMN, ONLY_CLEARS_COLUMN) if self.clear_columns else ()
        return (*DELTA_COLUMNS, *cleared)

    @cached_property
    def clear_marks(self) -> dict[Sql, Sql]:
        """Return the columns whose values may be cleared, as SQL writes them, each with the literal of its mark."""
        return {
            quote_identifier(column.name): Sql(self.dialect.quote_literal(column_mark(column.name)))
            for column in self.clear_columns
        }

    @property
    def staged_table(self) -> str:
        """Return the scratch table of the model's rows, for statements that write it: it has no marks.

        A model that was not read has none.
        """
        self._require_staged_rows()
        return f"staged_{self.table_key}"

    @property
    def staged_rows(self) -> Sql:
        """Return the model's rows as they count for all statements that are built now: with their marks.

        Rows of a refused list name no list, and `retl_detail` has its name. A row may have several marks.
        """
        staged = self.dialect.temp_table(self.staged_table)
        problem, detail, replaced, columns, joins = [], [], ["retl_problem", "retl_detail"], [], []
        if self.marks.refused_lists:
            problem.append("r.retl_problem")
            detail.append("r.retl_list")
            replaced.append("retl_list")
            columns.append("CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list")
            refused = self.dialect.temp_table(self.marks.refused_lists)
            joins.append(f"LEFT JOIN {refused} AS r ON s.retl_list = r.retl_list")
        if self.marks.names:
            problem.append("m.retl_problem")
            detail.append("m.retl_detail")
            columns += [
                f"s.retl_problem IS NULL AND COALESCE(m.{flag}, FALSE) AS {flag}" for flag in self.omit_flags
            ]
            same_list = " AND s.retl_list = m.retl_list" if self.many_lists else ""
            joins.append(
                f"LEFT JOIN (\n{self._marked_rows_sql}\n  ) AS m ON s.retl_identity = m.retl_identity{same_list}"
            )
        if not joins:
            return Sql(staged)
        columns += [
            f"COALESCE({', '.join(('s.retl_problem', *problem))}) AS retl_problem",
            f"CASE WHEN s.retl_problem IS NULL THEN COALESCE({', '.join((*detail, 'NULL'))}) ELSE s.retl_detail END AS retl_detail",
        ]
        names = ", ".join(replaced)
        return Sql(
            f"(\n  SELECT s.* EXCLUDE ({names}), {', '.join(columns)}\n  FROM {staged} AS s\n  "
            + "\n  ".join(joins)
            + "\n)"
        )

    @property
    def _marked_rows_sql(self) -> str:
        """Return each marked row once, with all of its marks: a join with it multiplies no row."""
        flags = "".join(
            f", COUNT(CASE WHEN retl_omitted = '{kind}' THEN 1 END) > 0 AS {omit_flag_column(kind)}"
            for kind in self.secondary_identifiers
        )
        names = map(self.dialect.temp_table, self.marks.names)
        all_marks = " UNION ALL ".join(f"SELECT * FROM {name}" for name in names)
        key = "retl_list, retl_identity" if self.many_lists else "retl_identity"
        return (
            f"    SELECT {key}, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail{flags}\n"
            f"    FROM ({all_marks}) AS marked GROUP BY {key}"
        )

    def mark_rows(self, select: str, parameters: tuple[Any, ...] = ()) -> Statement:
        """Return the statement that marks valid rows as rejected, or leaves identifiers out of what they send.

        The query is built before, and the statement runs next. It returns of each row `retl_list`,
        `retl_identity`, `retl_problem`, `retl_detail` and in `retl_omitted` the type of an identifier.
        """
        name = f"marks_{len(self.marks.names) + 1}_{self.table_key}"
        self.marks.names.append(name)
        return self._create_table(name, select, parameters)

    def refuse_lists(self, select: str, parameters: tuple[Any, ...] = ()) -> Statement:
        """Return the statement that rejects all rows of the lists that a query returns with a problem."""
        self.marks.refused_lists = f"refused_{self.table_key}"
        return self._create_table(self.marks.refused_lists, select, parameters)

    def _create_table(self, name: str, select: str, parameters: tuple[Any, ...]) -> Statement:
        text = f"{self.dialect.replace_temp_table_sql(name)} AS\n{select}"
        return Statement.create(self.dialect.temp_table(name), text, parameters)

    @property
    def omit_flags(self) -> tuple[Sql, ...]:
        """Return the columns of marked rows that say which identifiers are left out of what is sent."""
        return tuple(map(omit_flag_column, self.secondary_identifiers))

    def omits_sql(self, alias: str) -> tuple[Sql, ...]:
        """Return, for each secondary identifier, whether it is left out of what is sent of a staged row."""
        return tuple(Sql(f"{alias}.{flag}" if self.marks.names else "FALSE") for flag in self.omit_flags)

    @property
    def duplicates(self) -> str:
        """Return the scratch table of the identities that several staged rows of a list have."""
        return f"duplicates_{self.table_key}"

    @property
    def compared(self) -> str:
        """Return the scratch table of the identities whose rows are staged in full."""
        return f"compared_{self.table_key}"

    @property
    def completed(self) -> str:
        """Return the scratch table of these rows, before they take the place of those without values."""
        return f"completed_{self.table_key}"

    @property
    def distinct(self) -> str:
        """Return the scratch table of the different rows of these identities."""
        return f"distinct_{self.table_key}"

    @property
    def lists(self) -> str:
        """Return the scratch table that gives each list's id by the name that rows use. Made with the staged rows."""
        self._require_staged_rows()
        return f"lists_{self.table_key}"

    def _require_staged_rows(self) -> None:
        if not self.has_staged_rows:
            raise AssertionError(f"The model of {self.snapshot} was skipped: it has no staged rows.")

    @property
    def changed(self) -> str:
        """Return the scratch table of the changed rows, before they are sorted and numbered."""
        return f"changed_{self.table_key}"

    @property
    def planned(self) -> str:
        """Return the scratch table of the plan's deltas."""
        return f"planned_{self.table_key}"

    @property
    def kept_values(self) -> str:
        """Return the scratch table of the values that are not cleared, since others have one."""
        return f"kept_{self.table_key}"

    @property
    def snapshot(self) -> str:
        """Return the state table of the rows last applied."""
        return f"snapshot_{self.table_key}"

    @property
    def deltas(self) -> str:
        """Return the state table of deltas that are not proved applied or refused."""
        return f"deltas_{self.table_key}"

    @property
    def applied(self) -> str:
        """Return the scratch table of the deltas that receipts prove applied."""
        return f"applied_{self.table_key}"

    @property
    def replaced(self) -> str:
        """Return the scratch table of the snapshot's rows that the applied deltas replace."""
        return f"replaced_{self.table_key}"

    @property
    def rejected(self) -> str:
        """Return the state table of the rows that Klaviyo refused, as they were."""
        return f"rejected_{self.table_key}"

    @property
    def without_profile(self) -> str:
        """Return the state table of the rows whose person Klaviyo does not know, as they were."""
        return f"without_profile_{self.table_key}"

    def same_row_sql(self, left: str, right: str) -> Sql:
        """Return the condition that rows of two tables have one list id and identity.

        If the model has one list, its id is not compared, which saves time.
        """
        same_list = f"{left}.retl_list_id = {right}.retl_list_id AND " if self.many_lists else ""
        return Sql(f"{same_list}{left}.retl_identity = {right}.retl_identity")

    def rekeyed_identity_sql(self, alias: str = "") -> Sql:
        """Return a stored row's identity by the model's current identifiers; the old one if the row has none of them.

        If several rows of a list would get one identity, the first one gets it. The others keep their old identity, and
        so the diff removes them.
        """
        prefix = f"{alias}." if alias else ""
        cases = " ".join(
            f"WHEN {prefix}{IDENTIFIER_COLUMNS[kind]} IS NOT NULL "
            f"THEN {quote_literal(kind + ':')} || {prefix}{IDENTIFIER_COLUMNS[kind]}"
            for kind in self.identifiers
        )
        current_identity = f"CASE {cases} ELSE {prefix}retl_identity END"
        is_first = f"ROW_NUMBER() OVER (PARTITION BY {prefix}retl_list_id, {current_identity} ORDER BY {prefix}retl_identity) = 1"
        return Sql(f"CASE WHEN {is_first} THEN {current_identity} ELSE {prefix}retl_identity END")
