"""The snapshot: what receipts prove applied moves from the deltas into it.

Receipts cover ranges of `retl_seq`; row exceptions name single rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.dialect import RowChanges
from reverse_etl.warehouse.model_tables import timestamp_sql
from reverse_etl.warehouse.statement import Statement, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Sql, TableName


def collect_applied(run: RunDeltas) -> Statement:
    """Collect the deltas that receipts prove applied."""
    applied = run.tables.dialect.temp_table(run.tables.applied)
    return Statement.create(applied, *render("snapshot:collect_applied", run.tables, run=run))


def count_nulls(run: RunDeltas) -> Statement:
    """Return, for each payload column in order, how many of these deltas have a NULL there. Removals count as none."""
    tables = run.tables
    counts = ", ".join(f"COUNT(*) - COUNT(d.{column})" for column in tables.payload_columns)
    return Statement.read(
        f"SELECT {counts} FROM {tables.dialect.state_table(tables.deltas)} AS d\n"
        f"JOIN {tables.dialect.temp_table(tables.applied)} AS t ON t.retl_seq = d.retl_seq\n"
        f"WHERE d.retl_run_id = ? AND d.retl_op <> '{Op.REMOVE}'",
        (run.run_id,),
    )


def collect_replaced(tables: ModelTables, old_columns: Sequence[Sql] | None = None) -> Statement:
    """Collect the rows of the snapshot that the collected deltas replace, with these payload columns; None for all."""
    left_out = () if old_columns is None else {*tables.payload_columns} - {*old_columns}
    columns = [column for column in tables.row_columns if column not in left_out]
    text = render("snapshot:collect_replaced", tables, columns=columns)
    return Statement.create(tables.dialect.temp_table(tables.replaced), *text)


def delete_applied_rows(tables: ModelTables, table: TableName) -> Statement:
    """Delete the rows of a model's table whose deltas `collect_applied` found."""
    return Statement.change(
        table,
        f"DELETE FROM {table} AS retl_r WHERE EXISTS (\n"
        f"  SELECT 1 FROM {tables.dialect.temp_table(tables.applied)} AS t "
        "WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity)",
    )


def store_refused_rows(run: RunDeltas, checksum: str) -> tuple[Statement, ...]:
    """Store refused rows in the place of their deltas, so that they are sent again only if they change; forget accepted ones.

    Run it in one transaction with `apply_to_snapshot`, after it.
    """
    tables = run.tables
    rejected, deltas = (tables.dialect.state_table(table) for table in (tables.rejected, tables.deltas))
    return (
        delete_applied_rows(tables, rejected),
        Statement.change(rejected, *render("snapshot:delete_rejected_again", tables, run=run)),
        Statement.insert(
            rejected, *render("snapshot:insert_rejected_rows", tables, run=run, checksum=checksum)
        ),
        Statement.change(deltas, *render("snapshot:delete_refused_deltas", tables, run=run)),
    )


def apply_to_snapshot(
    run: RunDeltas, seq_ranges: Sequence[range | None], old_columns: Sequence[Sql] | None = None
) -> tuple[Statement, ...]:
    """Move what `collect_applied` found into the snapshot.

    Run it in one transaction, after `collect_replaced` with the same `old_columns`. `seq_ranges` are the parts in which rows are moved.
    """
    tables = run.tables
    old = tables.payload_columns if old_columns is None else old_columns
    deltas = tables.dialect.state_table(tables.deltas)
    changes = RowChanges(
        tables.dialect.state_table(tables.snapshot),
        tables.row_columns,
        tables.dialect.temp_table(tables.applied),
        tuple(
            render("snapshot:merged_rows", tables, run=run, seq_range=seq_range, old_columns=old)
            for seq_range in seq_ranges
        ),
    )
    return (
        *tables.dialect.change_rows(changes),
        *(
            Statement.change(
                deltas, *render("snapshot:delete_applied_deltas", tables, run=run, seq_range=seq_range)
            )
            for seq_range in seq_ranges
        ),
    )


def select_known(tables: ModelTables, identities: Sequence[str], list_id: str | None = None) -> Statement:
    """Return those of some identities, at least one, that the model has rows of: applied, uncertain or refused.

    With a list id only those of that list.
    """
    on_list, parameters = (" AND retl_list_id = ?", (list_id,)) if list_id is not None else ("", ())
    placeholders = ", ".join("?" for _ in identities)
    queries = (
        f"SELECT retl_identity FROM {tables.dialect.state_table(table)} WHERE retl_identity IN ({placeholders}){on_list}"
        for table in (tables.snapshot, tables.deltas, tables.rejected)
    )
    return Statement.read(" UNION ".join(queries), (*identities, *parameters) * 3)


def count_by_list(tables: ModelTables) -> Statement:
    """Return (whether the rows are uncertain, list id, rows) of the snapshot and of the uncertain rows."""
    snapshot, deltas = (tables.dialect.state_table(name) for name in (tables.snapshot, tables.deltas))
    return Statement.read(
        f"SELECT FALSE AS retl_uncertain, retl_list_id, COUNT(*) AS retl_rows FROM {snapshot} GROUP BY retl_list_id\n"
        f"UNION ALL\nSELECT TRUE, retl_list_id, COUNT(*) FROM {deltas} GROUP BY retl_list_id\n"
        "ORDER BY retl_uncertain, retl_list_id"
    )


def prune_events(tables: ModelTables, before: datetime) -> Statement:
    """Forget the keys of events before a time. The newest event stays: an empty snapshot means a lost state."""
    snapshot, column = tables.dialect.state_table(tables.snapshot), tables.find_column("time")
    time = quote_identifier(column.name)
    return Statement.change(
        snapshot,
        f"DELETE FROM {snapshot} WHERE {time} < {timestamp_sql(tables.dialect, column, before)} "
        f"AND {time} < (SELECT MAX({time}) FROM {snapshot})",
    )
