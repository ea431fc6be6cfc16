"""The deltas: what a run is to send, put down before its first write, and read back while it sends.

A row is uncertain from then on until a receipt says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS, IdentifierType
from reverse_etl.warehouse.model_tables import (
    DELTA_COLUMNS,
    FIRST_SENT_COLUMN,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    ModelTables,
    join_columns,
    same_key_sql,
)
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect


_TO_BE_SENT = f"p.retl_op NOT IN ('{Op.HELD}', '{Op.DEFERRED}')"  # what a run sets out to do


def defer_lists(dialect: Dialect, tables: ModelTables, list_ids: Sequence[str]) -> Statement:
    """Leave the plan's rows of these lists for a later run: nothing of them is sent, and none takes the place of an uncertain row."""
    planned = dialect.temp_table(tables.planned)
    placeholders = ", ".join("?" for _ in list_ids)
    return Statement.change(
        planned,
        f"UPDATE {planned} SET retl_op = '{Op.DEFERRED}' WHERE retl_list_id IN ({placeholders})",
        (*list_ids,),
    )


def clear_superseded(dialect: Dialect, tables: ModelTables) -> Statement:
    """Drop the uncertain rows of earlier runs in whose place the plan puts its own."""
    table = dialect.state_table(tables.deltas)
    return Statement.change(
        table,
        f"DELETE FROM {table} AS u WHERE EXISTS (SELECT 1 FROM {dialect.temp_table(tables.planned)} AS p "
        f"WHERE {_TO_BE_SENT} AND {same_key_sql('p', 'u')})",
    )


def select_last_seq(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return the number of the plan's last delta, 0 where it has none."""
    return Statement.read(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.temp_table(tables.planned)}")


def insert_deltas(
    dialect: Dialect, tables: ModelTables, run_id: str, first_sent_at: str, seq_range: range | None
) -> Statement:
    """Make the plan's deltas uncertain under this run: those of a span, or all of them.

    They lie in the order of their numbers, so that whoever reads a span of them looks at no other.
    """
    values = [f"p.{name}" for name in (*DELTA_COLUMNS, *KEY_COLUMNS)]
    values += [f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values()]
    values += [
        f"COALESCE(p.{FIRST_SENT_COLUMN}, ?)",
        *(f"d.{column}" for column in tables.payload_columns),
    ]
    table = dialect.state_table(tables.deltas)
    return Statement.insert(
        table,
        f"INSERT INTO {table} (retl_run_id, {join_columns((*DELTA_COLUMNS, *tables.row_columns))})\n"
        f"SELECT ?, {', '.join(values)}\n"
        f"FROM {dialect.temp_table(tables.planned)} AS p "
        f"LEFT JOIN (\n{tables.desired_rows_sql()}\n) AS d ON {tables.same_row_sql('d', 'p')}\n"
        f"WHERE {_TO_BE_SENT}{in_range_sql(seq_range, 'p')} ORDER BY p.retl_seq",
        (run_id, first_sent_at),
    )


def update_identities(dialect: Dialect, tables: ModelTables) -> tuple[Statement, ...]:
    """Give snapshot and uncertain rows the identity that the model's identifiers of today make."""
    same_key = same_key_sql("n", "t")
    return tuple(
        Statement.change(
            dialect.state_table(table),
            f"UPDATE {dialect.state_table(table)} AS t SET retl_identity = n.retl_new FROM (\n"
            f"  SELECT {', '.join(KEY_COLUMNS)}, {tables.rekeyed_identity_sql()} AS retl_new FROM {dialect.state_table(table)}\n"
            f") AS n WHERE {same_key}",
        )
        for table in (tables.snapshot, tables.deltas)
    )


def select_seq_ranges(dialect: Dialect, tables: ModelTables, run_id: str) -> Statement:
    """Return (list id, whether they are removes, first seq, last seq) of a run's deltas."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op = '{Op.REMOVE}' AS retl_removes, MIN(retl_seq), MAX(retl_seq) "
        f"FROM {dialect.state_table(tables.deltas)}\n"
        f"WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = '{Op.REMOVE}' ORDER BY 3",
        (run_id,),
    )


def select_upserts(
    dialect: Dialect, tables: ModelTables, run_id: str, list_id: str, seq_range: range
) -> Statement:
    """Return (seq, the model's identifiers, the payload) of one list's upserts in a span, by seq; decimals as text."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
    columns = ", ".join((*identifiers, *(_read_column_sql(column) for column in tables.payload)))
    return _select_deltas(
        dialect, tables, columns, f"IN ('{Op.ADD}', '{Op.UPDATE}')", (run_id, list_id), seq_range
    )


def select_upserts_with_op(
    dialect: Dialect, tables: ModelTables, run_id: str, list_id: str, seq_range: range
) -> Statement:
    """Return (seq, op, the model's identifiers, the payload) of one list's upserts in a span, by seq."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
    columns = ", ".join(("retl_op", *identifiers, *(_read_column_sql(column) for column in tables.payload)))
    return _select_deltas(
        dialect, tables, columns, f"IN ('{Op.ADD}', '{Op.UPDATE}')", (run_id, list_id), seq_range
    )


def select_removes(
    dialect: Dialect, tables: ModelTables, run_id: str, list_id: str, seq_range: range
) -> Statement:
    """Return (seq, identity, the four identifiers, first sent, in snapshot) of one list's removes in a span, by seq."""
    columns = (
        f"retl_identity, {', '.join(IDENTIFIER_COLUMNS.values())}, {FIRST_SENT_COLUMN}, retl_in_snapshot"
    )
    return _select_deltas(dialect, tables, columns, f"= '{Op.REMOVE}'", (run_id, list_id), seq_range)


def _select_deltas(  # noqa: PLR0913, PLR0917 - the parts of one statement
    dialect: Dialect,
    tables: ModelTables,
    columns: str,
    op_condition: str,
    run_and_list: tuple[str, str],
    seq_range: range,
) -> Statement:
    return Statement.read(
        f"SELECT retl_seq, {columns} FROM {dialect.state_table(tables.deltas)}\n"
        f"WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op {op_condition} AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (*run_and_list, seq_range.start, seq_range.stop - 1),
    )


def _read_column_sql(column: Column) -> str:
    """Return a column as it is read for sending: clients take long to make decimals, and texts hold as much."""
    name = quote_identifier(column.name)
    return f"CAST({name} AS VARCHAR) AS {name}" if column.kind is ColumnKind.DECIMAL else name


def select_delta_identifiers(
    dialect: Dialect, tables: ModelTables, run_id: str, first_seq: int, last_seq: int
) -> Statement:
    """Return (seq, the four identifiers) of a range of deltas, to tie a job's errors to rows."""
    return Statement.read(
        f"SELECT retl_seq, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {dialect.state_table(tables.deltas)}\n"
        f"WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (run_id, first_seq, last_seq),
    )


def select_staged_rows(  # noqa: PLR0913, PLR0917 - whose rows, and which
    dialect: Dialect,
    tables: ModelTables,
    run_and_model: tuple[str, str],
    list_id: str,
    kind: IdentifierType,
    values: Sequence[str],
) -> Statement:
    """Return (value, identity or NULL, list id, rejected) of the staged rows that carry one of `values`, rejected ones included.

    `run_and_model` is its id and the model. A row counts as rejected too that Klaviyo refused in this run, or that this run sent to the list
    without a proof that it was applied. Such a row carries what the model says, any other what it is sent with.
    """
    column = IDENTIFIER_COLUMNS[kind]
    deltas = dialect.state_table(tables.deltas)
    rejected_identities = (
        f"SELECT DISTINCT d.retl_identity FROM {deltas} AS d JOIN {dialect.state_table('row_exceptions')} AS f "
        f"ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    )
    rejected = "(s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL))"
    return Statement.read(
        f"SELECT s.{column}, s.retl_identity, l.retl_list_id,\n"
        f"  {rejected} AS retl_rejected\n"
        f"FROM {dialect.temp_table(tables.staged)} AS s "
        f"LEFT JOIN {dialect.temp_table(tables.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"LEFT JOIN ({rejected_identities}) AS x ON s.retl_identity = x.retl_identity\n"
        f"LEFT JOIN {deltas} AS d ON d.retl_run_id = ? AND d.retl_list_id = ? AND d.retl_op <> '{Op.REMOVE}' "
        f"AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id\n"
        f"LEFT JOIN {dialect.state_table('receipts')} AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied' "
        f"AND d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
        f"WHERE s.{column} IN ({', '.join('?' for _ in values)})\n"
        f"AND ({rejected} OR {tables.sent_identifiers_sql('s')[column]} IS NOT NULL)",
        (*run_and_model, run_and_model[0], list_id, run_and_model[1], *values),
    )


def mark_uncertain(dialect: Dialect, tables: ModelTables, list_ids: Sequence[str]) -> Statement:
    """Make the snapshot's rows of these lists uncertain that no delta speaks of, as those of rejected rows.

    They are of no run: no receipt will cover them, and they stay until they are sent again or removed.
    """
    placeholders = ", ".join("?" for _ in list_ids)
    text = insert_uncertain_sql(dialect, tables, f"s.retl_list_id IN ({placeholders})")
    return Statement.insert(dialect.state_table(tables.deltas), text, (*list_ids,))


def mark_deferred_uncertain(dialect: Dialect, tables: ModelTables) -> Statement:
    """Make the rows uncertain whose removal is held, or waits behind a limit.

    What is sent meanwhile may make other people of their profiles. So they are sent again where they come back.
    """
    deferred_rows = f"SELECT 1 FROM {dialect.temp_table(tables.planned)} AS p WHERE NOT ({_TO_BE_SENT}) AND {same_key_sql('p', 's')}"
    return Statement.insert(
        dialect.state_table(tables.deltas), insert_uncertain_sql(dialect, tables, f"EXISTS ({deferred_rows})")
    )


def mark_unsent_uncertain(dialect: Dialect, tables: ModelTables, run_id: str, model: str) -> Statement:
    """Make the rows uncertain whose removal was planned and not sent, or was held: as `mark_deferred_uncertain`."""
    return _mark_removals_uncertain(dialect, tables, run_id, model, "NOT retl_uncertain")


def keep_uncertain(dialect: Dialect, tables: ModelTables, run_id: str, model: str) -> Statement:
    """Let rows go on in doubt that were so before their removal was planned and not sent, or was held.

    One whose removal was sent before, or of which nobody knows that it was ever added, may be off the list, and stays a removal.
    """
    return _mark_removals_uncertain(dialect, tables, run_id, model, "retl_uncertain AND retl_in_snapshot")


def _mark_removals_uncertain(
    dialect: Dialect, tables: ModelTables, run_id: str, model: str, condition: str
) -> Statement:
    unsent, parameters = _unsent_sql(dialect, tables, run_id, model)
    table = dialect.state_table(tables.deltas)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_run_id = '', retl_seq = 0, retl_op = '{Op.UPDATE}', retl_uncertain = TRUE\n"
        f"WHERE retl_op = '{Op.REMOVE}' AND {condition} AND {unsent}",
        parameters,
    )


def insert_uncertain_sql(dialect: Dialect, tables: ModelTables, condition: str) -> str:
    """Return the statement that makes rows of the snapshot, called s, uncertain: those of which no delta speaks."""
    deltas = dialect.state_table(tables.deltas)
    return (
        f"INSERT INTO {deltas} (retl_run_id, {join_columns((*DELTA_COLUMNS, *tables.row_columns))})\n"
        f"SELECT '', 0, '{Op.UPDATE}', TRUE, TRUE, {join_columns(tables.row_columns, 's')} FROM {dialect.state_table(tables.snapshot)} AS s\n"
        f"WHERE {condition} AND NOT EXISTS (SELECT 1 FROM {deltas} AS d WHERE {same_key_sql('d', 's')})"
    )


def inherit_first_sent(
    dialect: Dialect, tables: ModelTables, run_id: str, previous_table_key: str, list_ids: Sequence[str]
) -> Statement:
    """Let a run's rows count as first sent when another model sent their person to these lists, if that was earlier. May be repeated.

    Their person is who has their identity, their e-mail or an id of theirs. `previous_table_key` ends the names of that model's tables. Whoever
    it put there was put there by this job.
    """
    placeholders = ", ".join("?" for _ in list_ids)
    matching_columns = ("retl_identity", *(IDENTIFIER_COLUMNS[kind] for kind in PERSONAL_IDENTIFIERS))
    table_names = (dialect.state_table(f"{name}_{previous_table_key}") for name in ("snapshot", "deltas"))
    sent = "\n  UNION ALL ".join(
        f"SELECT retl_list_id, {', '.join(matching_columns)}, {FIRST_SENT_COLUMN} FROM {table} WHERE retl_list_id IN ({placeholders})"
        for table in table_names
    )
    matches = "\n    UNION ALL ".join(
        f"SELECT d.retl_list_id, d.retl_identity, f.{FIRST_SENT_COLUMN} FROM {dialect.state_table(tables.deltas)} AS d JOIN sent AS f "
        f"ON d.retl_list_id = f.retl_list_id AND d.{column} = f.{column} WHERE d.retl_run_id = ?"
        for column in matching_columns
    )
    table = dialect.state_table(tables.deltas)
    return Statement.change(
        table,
        f"UPDATE {table} AS t SET {FIRST_SENT_COLUMN} = LEAST(t.{FIRST_SENT_COLUMN}, h.retl_since)\n"
        f"FROM (\n  WITH sent AS (\n  {sent}\n  )\n"
        f"  SELECT {', '.join(KEY_COLUMNS)}, MIN({FIRST_SENT_COLUMN}) AS retl_since FROM (\n    {matches}\n  ) AS m "
        f"GROUP BY {', '.join(KEY_COLUMNS)}\n) AS h WHERE t.retl_run_id = ? AND {same_key_sql('h', 't')}",
        (*list_ids, *list_ids, *(run_id for _ in matching_columns), run_id),
    )


def backdate_first_sent(
    dialect: Dialect, tables: ModelTables, rows: Sequence[tuple[str, str, str]]
) -> tuple[Statement, ...]:
    """Let rows count as first sent at the latest at a time: (list id, identity, time), at least one."""
    first_sent_times = (
        f"(VALUES {', '.join('(?, ?, ?)' for _ in rows)}) AS h ({', '.join(KEY_COLUMNS)}, retl_since)"
    )
    values = tuple(value for row in rows for value in row)
    return tuple(
        Statement.change(
            dialect.state_table(table),
            f"UPDATE {dialect.state_table(table)} AS t SET {FIRST_SENT_COLUMN} = LEAST(t.{FIRST_SENT_COLUMN}, h.retl_since)\n"
            f"FROM {first_sent_times} WHERE {same_key_sql('h', 't')}",
            values,
        )
        for table in (tables.snapshot, tables.deltas)
    )


def count_uncertain_upserts(tables: ModelTables) -> Statement:
    """Return the number of uncertain rows that were to be added or updated."""
    table = tables.dialect.state_table(tables.deltas)
    return Statement.read(f"SELECT COUNT(*) FROM {table} WHERE retl_op <> '{Op.REMOVE}'")


def delete_uncertain_upserts(tables: ModelTables) -> Statement:
    """Delete the uncertain rows that were to be added or updated."""
    table = tables.dialect.state_table(tables.deltas)
    return Statement.change(table, f"DELETE FROM {table} WHERE retl_op <> '{Op.REMOVE}'")


def delete_unsent(dialect: Dialect, tables: ModelTables, run_id: str, model: str) -> Statement:
    """Drop the deltas of which nothing says that they may have been carried out. Only for a run that knows what it sent.

    A row that was uncertain before this run stays so: that nothing was sent now says nothing about then.
    """
    unsent, parameters = _unsent_sql(dialect, tables, run_id, model)
    table = dialect.state_table(tables.deltas)
    return Statement.change(table, f"DELETE FROM {table} WHERE NOT retl_uncertain AND {unsent}", parameters)


def _unsent_sql(
    dialect: Dialect, tables: ModelTables, run_id: str, model: str
) -> tuple[str, tuple[str, ...]]:
    """Return the condition that a run's delta was not sent, with its parameters.

    A held row was not, though it lies among those of which nobody knows.
    """
    exception_seqs = f"SELECT f.seq FROM {dialect.state_table('row_exceptions')} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind ="
    condition = (
        f"retl_run_id = ? AND retl_seq NOT IN (\n"
        f"  SELECT d.retl_seq FROM {dialect.state_table(tables.deltas)} AS d JOIN {dialect.state_table('receipts')} AS r\n"
        f"  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
        f"  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown')\n"
        f"  AND d.retl_seq NOT IN ({exception_seqs} 'held'))\n"
        f"AND retl_seq NOT IN ({exception_seqs} 'unknown')"
    )
    return condition, (run_id, run_id, run_id, model, run_id, model, run_id, model)


def in_range_sql(seq_range: range | None, alias: str) -> str:
    """Return the condition that a row is of a span; "" for all rows."""
    return f" AND {alias}.retl_seq BETWEEN {seq_range.start} AND {seq_range.stop - 1}" if seq_range else ""
