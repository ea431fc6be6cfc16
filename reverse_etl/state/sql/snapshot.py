"""The takeover: what receipts prove goes from the deltas into the snapshot.

Receipts cover ranges of `retl_seq`; row exceptions name single rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.state.sql.pending import in_range_sql
from reverse_etl.warehouse.model_tables import KEY_COLUMNS, ModelTables, join_columns, same_key_sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect


def collect_applied(dialect: Dialect, tables: ModelTables, run_id: str, model: str) -> tuple[Statement, ...]:
    """Gather which deltas receipts prove applied, and the rows of the snapshot that they take the place of."""
    deltas, row_exceptions = (dialect.state_table(name) for name in (tables.deltas, "row_exceptions"))
    return (
        Statement.create(
            dialect.temp_table(tables.applied),
            f"{dialect.replace_temp_table_sql(tables.applied)} AS\n"
            f"SELECT d.retl_seq, d.retl_op, {join_columns(KEY_COLUMNS, 'd')}\n"
            f"FROM {deltas} AS d JOIN (\n{_applied_ranges_sql(dialect)}\n"
            f") AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
            f"WHERE d.retl_run_id = ?\n"
            f"AND d.retl_seq NOT IN (SELECT f.seq FROM {row_exceptions} AS f WHERE f.run_id = ? AND f.model = ?)",
            (run_id, model, run_id, run_id, model),
        ),
        Statement.create(
            dialect.temp_table(tables.replaced),
            f"{dialect.replace_temp_table_sql(tables.replaced)} AS\n"
            f"SELECT {join_columns(tables.row_columns, 's')} FROM {dialect.state_table(tables.snapshot)} AS s\n"
            f"JOIN {dialect.temp_table(tables.applied)} AS t ON {same_key_sql('t', 's')}",
        ),
    )


def _applied_ranges_sql(dialect: Dialect) -> str:
    """Return the query of the ranges that receipts prove applied, those that touch as one.

    A join on ranges compares every delta with every one of them, and most often all of a run's are one. No two receipts overlap.
    """
    return (
        f"  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (\n"
        f"    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps\n"
        f"    FROM {dialect.state_table('receipts')} WHERE run_id = ? AND model = ? AND state = 'applied'\n"
        f"  ) AS touching GROUP BY gaps"
    )


def select_last_applied_seq(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return the number of the last delta that `collect_applied` gathered, 0 where it gathered none."""
    return Statement.read(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.temp_table(tables.applied)}")


def apply_to_snapshot(  # noqa: PLR0913, PLR0917 - whose deltas, and in which parts
    dialect: Dialect,
    tables: ModelTables,
    run_id: str,
    model: str,
    checksum: str,
    seq_ranges: Sequence[range | None],
) -> tuple[Statement, ...]:
    """Take over what `collect_applied` gathered, and keep refused rows as they were, so that only a changed row is sent again.

    To be run in one transaction, after `collect_applied`. `seq_ranges` are the parts in which rows go into the snapshot.
    """
    deltas, rejected, row_exceptions = (
        dialect.state_table(name) for name in (tables.deltas, tables.rejected, "row_exceptions")
    )
    applied = dialect.temp_table(tables.applied)
    row = join_columns(tables.row_columns)
    rejected_seqs = (
        f"SELECT f.seq FROM {row_exceptions} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    )
    run_and_model = (run_id, model)
    return (
        *_update_snapshot(dialect, tables, run_id, seq_ranges),
        Statement.change(
            rejected,
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {applied} AS t WHERE {same_key_sql('t', 'retl_r')})",
        ),
        Statement.change(
            rejected,
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {deltas} AS d WHERE d.retl_run_id = ? "
            f"AND d.retl_seq IN ({rejected_seqs}) AND {same_key_sql('d', 'retl_r')})",
            (run_id, *run_and_model),
        ),
        Statement.insert(
            rejected,
            f"INSERT INTO {rejected} (retl_checksum, {row}) SELECT ?, {row} FROM {deltas} "
            f"WHERE retl_run_id = ? AND retl_seq IN ({rejected_seqs})",
            (checksum, run_id, *run_and_model),
        ),
        *_delete_finished_deltas(dialect, tables, run_and_model, seq_ranges),
    )


def _update_snapshot(
    dialect: Dialect, tables: ModelTables, run_id: str, seq_ranges: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Put the rows that were taken in the place of the snapshot's."""
    snapshot, row = dialect.state_table(tables.snapshot), join_columns(tables.row_columns)
    if dialect.updates_by_merge:
        value_columns = [column for column in tables.row_columns if column not in KEY_COLUMNS]
        return (
            Statement.change(
                snapshot,
                f"MERGE INTO {snapshot} AS s USING (\n{_merged_rows_sql(dialect, tables)}\n) AS t "
                f"ON {same_key_sql('t', 's')}\n"
                f"WHEN MATCHED AND t.retl_op = '{Op.REMOVE}' THEN DELETE\n"
                f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = t.{name}' for name in value_columns)}\n"
                f"WHEN NOT MATCHED AND t.retl_op <> '{Op.REMOVE}' THEN INSERT ({row}) "
                f"VALUES ({join_columns(tables.row_columns, 't')})",
                (run_id,),
            ),
        )
    applied = dialect.temp_table(tables.applied)
    return (
        Statement.change(
            snapshot,
            f"DELETE FROM {snapshot} AS retl_s WHERE EXISTS (SELECT 1 FROM {applied} AS t WHERE {same_key_sql('t', 'retl_s')})",
        ),
        *(
            Statement.insert(
                snapshot,
                f"INSERT INTO {snapshot} ({row}) SELECT {row} FROM (\n{_merged_rows_sql(dialect, tables)}{in_range_sql(seq_range, 'd')}\n) AS t "
                f"WHERE retl_op <> '{Op.REMOVE}'",
                (run_id,),
            )
            for seq_range in seq_ranges
        ),
    )


def _merged_rows_sql(dialect: Dialect, tables: ModelTables) -> str:
    """Return the query of the rows that were taken from a run, each desired NULL filled by what Klaviyo has.

    Of a row that was uncertain nobody knows which value Klaviyo has: a desired NULL is then no value, and any later one is sent.
    """
    applied, replaced = dialect.temp_table(tables.applied), dialect.temp_table(tables.replaced)
    certain_value = "CASE WHEN NOT d.retl_uncertain THEN s.{0} END"
    stored_values = {
        column: (certain_value if column in tables.payload_columns else "s.{0}").format(column)
        for column in tables.row_columns
    }
    merged = ", ".join(
        f"d.{column}"
        if column in KEY_COLUMNS
        else f"COALESCE(d.{column}, {stored_values[column]}) AS {column}"
        for column in tables.row_columns
    )
    return (
        f"  SELECT d.retl_op, {merged}\n"
        f"  FROM {dialect.state_table(tables.deltas)} AS d JOIN {applied} AS t ON t.retl_seq = d.retl_seq\n"
        f"  LEFT JOIN {replaced} AS s ON {same_key_sql('s', 'd')}\n"
        f"  WHERE d.retl_run_id = ?"
    )


def _delete_finished_deltas(
    dialect: Dialect, tables: ModelTables, run_and_model: tuple[str, str], seq_ranges: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Drop the deltas that were taken, span by span, and those that were refused for certain and not uncertain before.

    Removals that were held stay for whoever knows what else was sent: `deltas.doubt_unsent`.
    """
    deltas, row_exceptions = dialect.state_table(tables.deltas), dialect.state_table("row_exceptions")
    applied_seqs = f"SELECT t.retl_seq FROM {dialect.temp_table(tables.applied)} AS t WHERE TRUE"
    final_exceptions = f"SELECT f.seq FROM {row_exceptions} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held')"
    return (
        *(
            Statement.change(
                deltas,
                f"DELETE FROM {deltas} AS retl_d WHERE retl_run_id = ?{in_range_sql(seq_range, 'retl_d')} "
                f"AND retl_seq IN ({applied_seqs}{in_range_sql(seq_range, 't')})",
                run_and_model[:1],
            )
            for seq_range in seq_ranges
        ),
        Statement.change(
            deltas,
            f"DELETE FROM {deltas} WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq IN ({final_exceptions})",
            (run_and_model[0], *run_and_model),
        ),
    )


def count_snapshot_by_list(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return (list id, rows) of the snapshot."""
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) FROM {dialect.state_table(tables.snapshot)} GROUP BY retl_list_id ORDER BY retl_list_id"
    )


def count_uncertain_by_list(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return (list id, rows) of the deltas of which nobody knows yet whether they were applied."""
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) FROM {dialect.state_table(tables.deltas)} GROUP BY retl_list_id ORDER BY retl_list_id"
    )
