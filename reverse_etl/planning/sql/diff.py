"""Statements of the diff: the changes that make each list equal to its model.

The diff reads the valid staged rows, the snapshot and the uncertain rows (deltas of earlier runs that may or may not be applied).
It compares columns with IS DISTINCT FROM: no hash, no collision, no confusion of NULL and ''. A desired NULL is no change. An
uncertain identity that is desired is sent again; one that is not is removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.warehouse.dialect import RESERVED_PREFIX
from reverse_etl.warehouse.model_tables import (
    DELTA_COLUMNS,
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    ModelTables,
    join_columns,
)
from reverse_etl.warehouse.sql_template import render_sql
from reverse_etl.warehouse.statement import Sql, Statement, TableName, quote_identifier, quote_literal
from reverse_etl.warehouse.type_changes import current_value_sql, is_retyped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect


_STORED_PREFIX = "retl_was_"  # prefix of the stored value of a column in a sample


@dataclass(frozen=True)
class DiffOptions:
    """The options of the diff: every row again, or identities by today's identifiers.

    All rows of the lists `stale_list_ids` are uncertain: another model has sent to these lists since.
    """

    full_refresh: bool = False
    rekeyed: bool = False
    stale_list_ids: tuple[str, ...] = ()


def select_first_difference(
    dialect: Dialect, tables: ModelTables, stored_columns: Mapping[str, Column]
) -> Statement:
    """Return a row if the valid staged rows differ from the snapshot; the query stops at the first difference.

    If it returns none, and the snapshot has as many rows as were staged, identities are unique: the snapshot has each identity once.
    Rows may still share secondary identifiers, as the snapshot's rows may.
    """
    diff = _DiffSql(dialect, tables, stored_columns, DiffOptions())
    return Statement.read(*render_sql("planning/sql/first_difference", dialect, diff=diff))


def mark_changed_rows(
    dialect: Dialect, tables: ModelTables, stored_columns: Mapping[str, Column]
) -> Statement:
    """Reject the rows of known keys with another value than the one that was sent, naming the columns: for models that only append.

    No value was sent of a column that the model did not have then, or that was NULL: the row counts as unchanged.
    """
    staged = dialect.temp_table(tables.staged)
    columns = _comparable_columns(tables)
    changes = {
        name: f"(k.{columns[name]} IS NOT NULL AND {is_changed})"
        for name, is_changed in _changes_sql(dialect, tables).items()
    }
    names = ", ".join(
        f"CASE WHEN {is_changed} THEN {dialect.quote_literal(', ' + name.removeprefix(RESERVED_PREFIX))} ELSE '' END"
        for name, is_changed in changes.items()
    )
    return Statement.change(
        staged,
        f"UPDATE {staged} AS s SET retl_problem = {quote_literal(RowProblem.CHANGED)}, retl_detail = SUBSTR(c.retl_names, 3)\n"
        f"FROM (\nWITH desired AS (\n{tables.desired_rows_sql()}\n),\n"
        f"known AS (\n{_known_rows_sql(dialect, tables, stored_columns, DiffOptions())}\n)\n"
        f"SELECT d.retl_list_id, d.retl_identity, CONCAT({names}) AS retl_names\n"
        f"FROM desired AS d JOIN known AS k ON {tables.same_row_sql('d', 'k')}\n"
        f"WHERE k.retl_in_snapshot AND ({' OR '.join(changes.values()) or 'FALSE'})\n"
        f") AS c, {dialect.temp_table(tables.lists)} AS l\n"
        f"WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND c.retl_list_id = l.retl_list_id\n"
        f"AND s.retl_identity = c.retl_identity",
    )


def create_empty_plan(dialect: Dialect, tables: ModelTables) -> Statement:
    """Create an empty plan table, for a model that has nothing to send."""
    types = {"retl_seq": "BIGINT", "retl_in_snapshot": "BOOLEAN", "retl_uncertain": "BOOLEAN"}
    names = (*DELTA_COLUMNS, *KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN)
    columns = ", ".join(f"{name} {types.get(name, 'VARCHAR')}" for name in names)
    return Statement.create(
        dialect.temp_table(tables.planned), f"{dialect.replace_temp_table_sql(tables.planned)} ({columns})"
    )


def compute_deltas(
    dialect: Dialect, tables: ModelTables, stored_columns: Mapping[str, Column], options: DiffOptions
) -> tuple[Statement, ...]:
    """Compute the plan's deltas, numbered from 1: by list, upserts before removes, then by identity in binary order.

    A row to remove counts as in the snapshot only if no earlier run may have removed it already. `stored_columns` are the columns of
    the snapshot, empty if there is none yet.

    Deltas are narrow, since numbering wide rows takes many times as long: the values of upserts stay in the staged rows, and only
    removes carry identifiers. If the engine can number rows in order of input, it takes far less time and memory to join only the
    compared columns, fetch the others for changed rows, and sort before numbering.
    """
    diff = _DiffSql(dialect, tables, stored_columns, options)
    planned, changed = dialect.temp_table(tables.planned), dialect.temp_table(tables.changed)
    if not dialect.numbers_rows_as_they_pass:
        return (Statement.create(planned, *render_sql("planning/sql/deltas_at_once", dialect, diff=diff)),)
    return (
        Statement.create(changed, *render_sql("planning/sql/changed_rows", dialect, diff=diff)),
        Statement.create(planned, *render_sql("planning/sql/sorted_deltas", dialect, diff=diff)),
        Statement.drop(changed, f"DROP TABLE {changed}"),
    )


@dataclass(frozen=True)
class _DiffSql:
    """The values of the diff's templates: a model's tables, its desired and known rows, and how they are compared."""

    dialect: Dialect
    tables: ModelTables
    stored_columns: Mapping[str, Column]
    options: DiffOptions

    identifier_columns = tuple(IDENTIFIER_COLUMNS.values())

    @property
    def many_lists(self) -> bool:
        """Return whether rows name their list."""
        return self.tables.many_lists

    @property
    def append_only(self) -> bool:
        """Return whether known rows are neither sent again nor removed."""
        return self.tables.append_only

    @property
    def changed(self) -> TableName:
        """Return the scratch table of what the diff found, before it is sorted."""
        return self.dialect.temp_table(self.tables.changed)

    @property
    def replace_changed(self) -> Sql:
        """Return the beginning of a statement that replaces it."""
        return Sql(self.dialect.replace_temp_table_sql(self.tables.changed))

    @property
    def replace_planned(self) -> Sql:
        """Return the beginning of a statement that replaces the plan's deltas."""
        return Sql(self.dialect.replace_temp_table_sql(self.tables.planned))

    @property
    def desired(self) -> Sql:
        """Return the query of the rows that may be sent."""
        return self.tables.desired_rows_sql()

    @property
    def known(self) -> Sql:
        """Return the query of the rows that Klaviyo has or may have."""
        return Sql(_known_rows_sql(self.dialect, self.tables, self.stored_columns, self.options))

    @property
    def is_changed(self) -> Sql:
        """Return the condition that a desired row has another value than the known one, or is to be sent anyway."""
        return Sql("TRUE" if self.options.full_refresh else _is_changed_sql(self.dialect, self.tables))

    def same_row(self, left: str, right: str) -> Sql:
        """Return the condition that rows of two tables have one key."""
        return self.tables.same_row_sql(left, right)


def limit_upserts(dialect: Dialect, tables: ModelTables, limit: int) -> tuple[Statement, ...]:
    """Keep only the first `limit` upserts of the plan, and defer all removes."""
    planned, upserts = dialect.temp_table(tables.planned), f"retl_op <> '{Op.REMOVE}'"
    return (
        Statement.change(
            planned,
            f"DELETE FROM {planned} WHERE {upserts} AND retl_seq NOT IN (\n"
            f"  SELECT retl_seq FROM {planned} WHERE {upserts} ORDER BY retl_seq LIMIT {limit})",
        ),
        Statement.change(
            planned, f"UPDATE {planned} SET retl_op = '{Op.DEFERRED}' WHERE retl_op = '{Op.REMOVE}'"
        ),
    )


def cancel_rejected_removals(dialect: Dialect, tables: ModelTables) -> Statement:
    """Cancel the removal of an identity that has a rejected row on that list: it is still desired."""
    table = dialect.temp_table(tables.planned)
    return Statement.change(
        table,
        f"DELETE FROM {table} AS retl_p WHERE retl_p.retl_op = '{Op.REMOVE}' AND EXISTS (\n"
        f"  SELECT 1 FROM {dialect.temp_table(tables.staged)} AS s JOIN {dialect.temp_table(tables.lists)} AS l "
        f"ON s.retl_list = l.retl_list\n"
        f"  WHERE s.retl_problem IS NOT NULL AND s.retl_identity = retl_p.retl_identity AND l.retl_list_id = retl_p.retl_list_id)",
    )


def hold_shared_removals(dialect: Dialect, tables: ModelTables) -> Statement:
    """Hold each removal that shares an identifier with a rejected row of the model, on every list."""
    staged, planned = dialect.temp_table(tables.staged), dialect.temp_table(tables.planned)
    shared_seqs = "\n  UNION ".join(
        f"SELECT p.retl_seq FROM {planned} AS p JOIN {staged} AS s ON s.{column} = p.{column} "
        f"WHERE p.retl_op = '{Op.REMOVE}' AND s.retl_problem IS NOT NULL"
        for column in IDENTIFIER_COLUMNS.values()
    )
    return Statement.change(
        planned,
        f"UPDATE {planned} AS p SET retl_op = '{Op.HELD}'\nFROM (\n  {shared_seqs}\n) AS h WHERE p.retl_seq = h.retl_seq",
    )


def count_planned_by_list(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return (list id, op, rows) of the plan's deltas."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op, COUNT(*) FROM {dialect.temp_table(tables.planned)} "
        f"GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op"
    )


def count_removes_by_identifier(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return (list id, rows without e-mail and phone, rows that carry each identifier) of the removes."""
    email, phone = IDENTIFIER_COLUMNS[IdentifierType.EMAIL], IDENTIFIER_COLUMNS[IdentifierType.PHONE]
    identifier_counts = ", ".join(f"COUNT({column})" for column in IDENTIFIER_COLUMNS.values())
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) - COUNT(COALESCE({email}, {phone})), {identifier_counts} "
        f"FROM {dialect.temp_table(tables.planned)} WHERE retl_op = '{Op.REMOVE}' GROUP BY retl_list_id ORDER BY retl_list_id"
    )


def select_sample(
    dialect: Dialect,
    tables: ModelTables,
    stored_columns: Mapping[str, Column],
    per_op: int,
    options: DiffOptions,
) -> Statement:
    """Return the first deltas of each list and op: (list id, op, identity), then identifiers and payload after, then before.

    The last values are the stored values of the `find_retyped_columns` columns, in their stored type.
    """
    retyped_columns = enumerate(find_retyped_columns(dialect, tables, stored_columns))
    stored_values = {
        f"{_STORED_PREFIX}{number}": f"s.{quote_identifier(column.name)}"
        for number, column in retyped_columns
    }
    known_rows = f"(\n{_known_rows_sql(dialect, tables, stored_columns, options, stored_values)}\n)"
    values = (*IDENTIFIER_COLUMNS.values(), *tables.payload_columns)
    before = join_columns((*values, *stored_values), "k")
    return Statement.read(
        f"SELECT p.retl_list_id, p.retl_op, p.retl_identity, {join_columns(values, 'd')}, {before}\n"
        f"FROM (SELECT * FROM {dialect.temp_table(tables.planned)} WHERE retl_op <> '{Op.DEFERRED}' "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= {per_op}) AS p\n"
        f"LEFT JOIN (\n{tables.desired_rows_sql()}\n) AS d ON {tables.same_row_sql('d', 'p')}\n"
        f"LEFT JOIN {known_rows} AS k ON {tables.same_row_sql('k', 'p')}\n"
        f"ORDER BY p.retl_seq"
    )


def set_created_list_ids(dialect: Dialect, tables: ModelTables, ids: Mapping[str, str]) -> Statement:
    """Replace the placeholders of new lists by their ids in the deltas.

    The table is created again, since an UPDATE of every row may hold all rows in memory.
    """
    cases = " ".join("WHEN ? THEN ?" for _ in ids)
    columns = ", ".join((*DELTA_COLUMNS, "retl_identity", *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN))
    planned = dialect.temp_table(tables.planned)
    return Statement.create(
        planned,
        f"{dialect.replace_temp_table_sql(tables.planned)} AS\n"
        f"SELECT {f'CAST(CASE retl_list_id {cases} ELSE retl_list_id END AS VARCHAR)'} AS retl_list_id, {columns} FROM {planned}",
        tuple(text for pair in ids.items() for text in pair),
        repeatable=False,
    )


def find_retyped_columns(
    dialect: Dialect, tables: ModelTables, stored_columns: Mapping[str, Column]
) -> tuple[Column, ...]:
    """Return the stored payload columns whose type has changed."""
    pairs = _pair_columns(tables, stored_columns)
    return tuple(
        stored_column
        for column, stored_column in pairs
        if stored_column is not None and is_retyped(dialect, column, stored_column)
    )


def _pair_columns(
    tables: ModelTables, stored_columns: Mapping[str, Column]
) -> Iterator[tuple[Column, Column | None]]:
    """Yield each payload column with its stored column; names match case-insensitively."""
    columns_by_lowercase = {name.lower(): column for name, column in stored_columns.items()}
    return ((column, columns_by_lowercase.get(column.name.lower())) for column in tables.payload)


def _known_rows_sql(
    dialect: Dialect,
    tables: ModelTables,
    stored_columns: Mapping[str, Column],
    options: DiffOptions,
    extra_columns: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the query of the rows that Klaviyo has or may have: those of the snapshot, and the uncertain ones.

    `extra_columns` adds values of the snapshot by name.
    """
    if not stored_columns:
        return _no_known_rows_sql(dialect, tables)
    names = (*IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN)
    payload: dict[str, str] = {
        quote_identifier(column.name): current_value_sql(dialect, column, stored_column, "s.")
        for column, stored_column in _pair_columns(tables, stored_columns)
    }
    payload |= extra_columns
    values = "".join(f", {value} AS {column}" for column, value in payload.items())
    merged = ", ".join(f"COALESCE(s.{name}, u.{name}) AS {name}" for name in (*KEY_COLUMNS, *names))
    stale_ids = ", ".join(dialect.quote_literal(list_id) for list_id in options.stale_list_ids)
    is_stale = f" OR s.retl_list_id IN ({stale_ids})" if stale_ids else ""
    return (
        f"  SELECT {merged}{''.join(f', s.{column}' for column in payload)},\n"
        f"    s.retl_identity IS NOT NULL AS retl_in_snapshot, u.retl_identity IS NOT NULL{is_stale} AS retl_uncertain,\n"
        f"    COALESCE(u.retl_op = '{Op.REMOVE}', FALSE) AS retl_removing\n"
        f"  FROM (\n"
        f"    SELECT s.retl_list_id, {_identity_sql(tables, options, 's.')}, {join_columns(names, 's')}{values}\n"
        f"    FROM {dialect.state_table(tables.snapshot)} AS s WHERE {_is_managed_list_sql(dialect, tables, 's.retl_list_id')}\n"
        f"  ) AS s FULL OUTER JOIN (\n"
        f"    SELECT retl_list_id, {_identity_sql(tables, options)}, {join_columns(names)}, retl_op\n"
        f"    FROM {dialect.state_table(tables.deltas)} WHERE {_is_managed_list_sql(dialect, tables, 'retl_list_id')}\n"
        f"  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity"
    )


def _no_known_rows_sql(dialect: Dialect, tables: ModelTables) -> str:
    """Return the query of the known rows of a model that has no tables yet: no rows, of the right types."""
    types = dict.fromkeys((*KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT_COLUMN), "VARCHAR")
    types |= {quote_identifier(column.name): dialect.storage_type(column) for column in tables.payload}
    nulls = ", ".join(f"CAST(NULL AS {type_}) AS {column}" for column, type_ in types.items())
    flags = "FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing"
    return f"  SELECT {nulls}, {flags} FROM (SELECT 1 AS retl_one) AS retl_nothing WHERE FALSE"


def _identity_sql(tables: ModelTables, options: DiffOptions, prefix: str = "") -> str:
    """Return a known row's identity, by today's identifiers if the model is keyed anew, as retl_identity."""
    if options.rekeyed:
        return f"{tables.rekeyed_identity_sql(prefix)} AS retl_identity"
    return f"{prefix}retl_identity"


def _is_managed_list_sql(dialect: Dialect, tables: ModelTables, list_id: str) -> str:
    """Return the condition that a list is one that the model manages."""
    lists = dialect.temp_table(tables.lists)
    if tables.many_lists:
        return f"{list_id} IN (SELECT retl_list_id FROM {lists})"
    return dialect.equals_only_value_sql(list_id, "retl_list_id", lists)


def _is_changed_sql(dialect: Dialect, tables: ModelTables) -> str:
    return "\n    OR ".join(_changes_sql(dialect, tables).values()) or "FALSE"


def _changes_sql(dialect: Dialect, tables: ModelTables) -> dict[str, str]:
    """Return, by column, the condition that a desired row d has another value than the known row k."""
    columns = _comparable_columns(tables)
    types = {column.name: column for column in tables.payload}

    def value(alias: str, name: str) -> str:
        value = f"{alias}.{columns[name]}"
        return dialect.comparable_sql(value, types[name]) if name in types else value

    return {
        name: f"(d.{column} IS NOT NULL AND {value('d', name)} IS DISTINCT FROM {value('k', name)})"
        for name, column in columns.items()
    }


def _comparable_columns(tables: ModelTables) -> dict[str, Sql]:
    """Return the columns that may differ between a desired row and a known one, by name."""
    identifiers = [IDENTIFIER_COLUMNS[kind] for kind in tables.compared_identifiers]
    columns: dict[str, Sql] = {str(column): column for column in identifiers}
    return columns | dict(zip(tables.payload_names, tables.payload_columns, strict=True))
