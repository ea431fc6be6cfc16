"""The takeover: what receipts prove goes from the deltas into the snapshot.

Receipts cover ranges of `retl_seq`; refusals name single rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.engine import Engine
from reverse_etl.state.sql.pending import within
from reverse_etl.warehouse.model_tables import KEY_COLUMNS, Shape, same_key
from reverse_etl.warehouse.statement import Dialect, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence


def take(dialect: Dialect, shape: Shape, run_id: str, model: str) -> tuple[Statement, ...]:
    """Gather which deltas receipts prove applied, and the rows of the snapshot that they take the place of."""
    deltas, refusals = (dialect.kept(name) for name in (shape.deltas, "refusals"))
    return (
        Statement.create(
            dialect.passing(shape.taken),
            f"{dialect.recreate_passing(shape.taken)} AS\n"
            f"SELECT d.retl_seq, d.retl_op, {dialect.names(KEY_COLUMNS, 'd.')}\n"
            f"FROM {deltas} AS d JOIN (\n{_applied(dialect)}\n"
            f") AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
            f"WHERE d.retl_run_id = ?\n"
            f"AND d.retl_seq NOT IN (SELECT f.seq FROM {refusals} AS f WHERE f.run_id = ? AND f.model = ?)",
            (run_id, model, run_id, run_id, model),
        ),
        Statement.create(
            dialect.passing(shape.replaced),
            f"{dialect.recreate_passing(shape.replaced)} AS\n"
            f"SELECT {dialect.names(shape.row, 's.')} FROM {dialect.kept(shape.snapshot)} AS s\n"
            f"JOIN {dialect.passing(shape.taken)} AS t ON {same_key('t', 's')}",
        ),
    )


def _applied(dialect: Dialect) -> str:
    """Return the query of the ranges that receipts prove applied, those that touch as one.

    A join on ranges compares every delta with every one of them, and most often all of a run's are one. No two receipts overlap.
    """
    return (
        f"  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (\n"
        f"    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps\n"
        f"    FROM {dialect.kept('receipts')} WHERE run_id = ? AND model = ? AND state = 'applied'\n"
        f"  ) AS touching GROUP BY gaps"
    )


def last_taken(dialect: Dialect, shape: Shape) -> Statement:
    """Return the number of the last delta that `take` gathered, 0 where it gathered none."""
    return Statement.read(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.passing(shape.taken)}")


def advance(  # noqa: PLR0913, PLR0917 - whose deltas, and in which parts
    dialect: Dialect, shape: Shape, run_id: str, model: str, checksum: str, spans: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Take over what `take` gathered, and keep refused rows as they were, so that only a changed row is sent again.

    To be run in one transaction, after `take`. `spans` are the parts in which rows go into the snapshot.
    """
    deltas, rejected, refusals = (dialect.kept(name) for name in (shape.deltas, shape.rejected, "refusals"))
    taken = dialect.passing(shape.taken)
    row = dialect.names(shape.row)
    refused = f"SELECT f.seq FROM {refusals} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    this_run = (run_id, model)
    return (
        *_into_snapshot(dialect, shape, run_id, spans),
        Statement.change(
            rejected,
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {taken} AS t WHERE {same_key('t', 'retl_r')})",
        ),
        Statement.change(
            rejected,
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {deltas} AS d WHERE d.retl_run_id = ? "
            f"AND d.retl_seq IN ({refused}) AND {same_key('d', 'retl_r')})",
            (run_id, *this_run),
        ),
        Statement.insert(
            rejected,
            f"INSERT INTO {rejected} (retl_checksum, {row}) SELECT ?, {row} FROM {deltas} "
            f"WHERE retl_run_id = ? AND retl_seq IN ({refused})",
            (checksum, run_id, *this_run),
        ),
        *_no_longer_deltas(dialect, shape, this_run, spans),
    )


def _into_snapshot(
    dialect: Dialect, shape: Shape, run_id: str, spans: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Put the rows that were taken in the place of the snapshot's; on Snowflake by one statement, which rewrites it once."""
    snapshot, row = dialect.kept(shape.snapshot), dialect.names(shape.row)
    if dialect.engine is Engine.SNOWFLAKE:
        others = [dialect.name(name) for name in shape.row if name not in KEY_COLUMNS]
        return (
            Statement.change(
                snapshot,
                f"MERGE INTO {snapshot} AS s USING (\n{_merged(dialect, shape)}\n) AS t "
                f"ON {same_key('t', 's')}\n"
                f"WHEN MATCHED AND t.retl_op = '{Op.REMOVE}' THEN DELETE\n"
                f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = t.{name}' for name in others)}\n"
                f"WHEN NOT MATCHED AND t.retl_op <> '{Op.REMOVE}' THEN INSERT ({row}) "
                f"VALUES ({dialect.names(shape.row, 't.')})",
                (run_id,),
            ),
        )
    taken = dialect.passing(shape.taken)
    return (
        Statement.change(
            snapshot,
            f"DELETE FROM {snapshot} AS retl_s WHERE EXISTS (SELECT 1 FROM {taken} AS t WHERE {same_key('t', 'retl_s')})",
        ),
        *(
            Statement.insert(
                snapshot,
                f"INSERT INTO {snapshot} ({row}) SELECT {row} FROM (\n{_merged(dialect, shape)}{within(seqs, 'd')}\n) AS t "
                f"WHERE retl_op <> '{Op.REMOVE}'",
                (run_id,),
            )
            for seqs in spans
        ),
    )


def _merged(dialect: Dialect, shape: Shape) -> str:
    """Return the query of the rows that were taken from a run, each desired NULL filled by what Klaviyo has.

    Of a row that was uncertain nobody knows which value Klaviyo has: a desired NULL is then no value, and any later one is sent.
    """
    taken, replaced = dialect.passing(shape.taken), dialect.passing(shape.replaced)
    sure = "CASE WHEN NOT d.retl_uncertain THEN s.{0} END"
    kept = {
        name: (sure if name in shape.payload_names else "s.{0}").format(dialect.name(name))
        for name in shape.row
    }
    merged = ", ".join(
        f"d.{name}"
        if name in KEY_COLUMNS
        else f"COALESCE(d.{dialect.name(name)}, {kept[name]}) AS {dialect.name(name)}"
        for name in shape.row
    )
    return (
        f"  SELECT d.retl_op, {merged}\n"
        f"  FROM {dialect.kept(shape.deltas)} AS d JOIN {taken} AS t ON t.retl_seq = d.retl_seq\n"
        f"  LEFT JOIN {replaced} AS s ON {same_key('s', 'd')}\n"
        f"  WHERE d.retl_run_id = ?"
    )


def _no_longer_deltas(
    dialect: Dialect, shape: Shape, this_run: tuple[str, str], spans: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Drop the deltas that were taken, span by span, and those that were refused for certain and not uncertain before.

    Removals that were held stay for whoever knows what else was sent: `deltas.doubt_unsent`.
    """
    deltas, refusals = dialect.kept(shape.deltas), dialect.kept("refusals")
    taken = f"SELECT t.retl_seq FROM {dialect.passing(shape.taken)} AS t WHERE TRUE"
    refused = f"SELECT f.seq FROM {refusals} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held')"
    return (
        *(
            Statement.change(
                deltas,
                f"DELETE FROM {deltas} AS retl_d WHERE retl_run_id = ?{within(seqs, 'retl_d')} "
                f"AND retl_seq IN ({taken}{within(seqs, 't')})",
                this_run[:1],
            )
            for seqs in spans
        ),
        Statement.change(
            deltas,
            f"DELETE FROM {deltas} WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq IN ({refused})",
            (this_run[0], *this_run),
        ),
    )


def uncertain_count(dialect: Dialect, shape: Shape) -> Statement:
    """Return how many deltas of earlier runs are neither proved applied nor refused."""
    return Statement.read(f"SELECT COUNT(*) FROM {dialect.kept(shape.deltas)}")


def snapshot_counts(dialect: Dialect, shape: Shape) -> Statement:
    """Return (list id, rows) of the snapshot."""
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) FROM {dialect.kept(shape.snapshot)} GROUP BY retl_list_id ORDER BY retl_list_id"
    )


def uncertain_counts(dialect: Dialect, shape: Shape) -> Statement:
    """Return (list id, rows) of the deltas of which nobody knows yet whether they were applied."""
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) FROM {dialect.kept(shape.deltas)} GROUP BY retl_list_id ORDER BY retl_list_id"
    )
