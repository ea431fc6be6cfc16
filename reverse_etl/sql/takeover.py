"""From the plan to the deltas, and from what was proved to the snapshot.

A row of the deltas is uncertain until a receipt says otherwise. Receipts cover ranges of `retl_seq`; refusals name single rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.columns import Column, Kind
from reverse_etl.engines import Engine
from reverse_etl.sql.diff import Op, desired, rekeyed_identity, same_row
from reverse_etl.sql.shape import FIRST_SENT, IDENTIFIER_COLUMNS, KEY_COLUMNS, MARKS, Shape
from reverse_etl.sql.text import Dialect, Statement, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.identifiers import IdentifierType

_SAME = " AND ".join(f"{{left}}.{name} = {{right}}.{name}" for name in KEY_COLUMNS)


def make_way(dialect: Dialect, shape: Shape) -> Statement:
    """Drop the uncertain rows of earlier runs in whose place the plan puts its own."""
    return Statement(
        f"DELETE FROM {dialect.kept(shape.deltas)} AS u WHERE EXISTS (SELECT 1 FROM {dialect.passing(shape.planned)} AS p "
        f"WHERE p.retl_op <> '{Op.HELD}' AND {_SAME.format(left='p', right='u')})"
    )


def last_seq(dialect: Dialect, shape: Shape) -> Statement:
    """Return the number of the plan's last delta, 0 where it has none."""
    return Statement(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.passing(shape.planned)}")


def begin(dialect: Dialect, shape: Shape, run_id: str, first_sent_at: str, seqs: range | None) -> Statement:
    """Make the plan's deltas uncertain under this run: those of a span, or all of them.

    They lie in the order of their numbers, so that whoever reads a span of them looks at no other.
    """
    values = [f"p.{name}" for name in (*MARKS, *KEY_COLUMNS)]
    values += [f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values()]
    values += [f"COALESCE(p.{FIRST_SENT}, ?)", *(f"d.{quote(name)}" for name in shape.payload_names)]
    return Statement(
        f"INSERT INTO {dialect.kept(shape.deltas)} (retl_run_id, {dialect.names((*MARKS, *shape.row))})\n"
        f"SELECT ?, {', '.join(values)}\n"
        f"FROM {dialect.passing(shape.planned)} AS p "
        f"LEFT JOIN (\n{desired(dialect, shape)}\n) AS d ON {same_row(shape, 'd', 'p')}\n"
        f"WHERE p.retl_op <> '{Op.HELD}'{_within(seqs, 'p')} ORDER BY p.retl_seq",
        (run_id, first_sent_at),
    )


def _within(seqs: range | None, table: str) -> str:
    """Return the condition that a row is of a span; "" for all rows."""
    return f" AND {table}.retl_seq BETWEEN {seqs.start} AND {seqs.stop - 1}" if seqs else ""


def rekey(dialect: Dialect, shape: Shape) -> tuple[Statement, ...]:
    """Give snapshot and uncertain rows the identity that the model's identifiers of today make."""
    same = _SAME.format(left="n", right="t")
    return tuple(
        Statement(
            f"UPDATE {dialect.kept(table)} AS t SET retl_identity = n.retl_new FROM (\n"
            f"  SELECT {', '.join(KEY_COLUMNS)}, {rekeyed_identity(shape)} AS retl_new FROM {dialect.kept(table)}\n"
            f") AS n WHERE {same}"
        )
        for table in (shape.snapshot, shape.deltas)
    )


def spans(dialect: Dialect, shape: Shape, run_id: str) -> Statement:
    """Return (list id, whether they are removes, first seq, last seq) of a run's deltas."""
    return Statement(
        f"SELECT retl_list_id, retl_op = '{Op.REMOVE}' AS retl_removes, MIN(retl_seq), MAX(retl_seq) "
        f"FROM {dialect.kept(shape.deltas)}\n"
        f"WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = '{Op.REMOVE}' ORDER BY 3",
        (run_id,),
    )


def upserts(dialect: Dialect, shape: Shape, run_id: str, list_id: str, seqs: range) -> Statement:
    """Return (seq, the four identifiers, the payload) of one list's upserts in a span, by seq; decimals as text."""
    columns = ", ".join((*IDENTIFIER_COLUMNS.values(), *(_as_read(column) for column in shape.payload)))
    return _span(dialect, shape, columns, f"IN ('{Op.ADD}', '{Op.UPDATE}')", (run_id, list_id), seqs)


def removes(dialect: Dialect, shape: Shape, run_id: str, list_id: str, seqs: range) -> Statement:
    """Return (seq, identity, the four identifiers, first sent, in snapshot, uncertain) of one list's removes in a span, by seq."""
    columns = f"retl_identity, {', '.join(IDENTIFIER_COLUMNS.values())}, {FIRST_SENT}, retl_in_snapshot, retl_uncertain"
    return _span(dialect, shape, columns, f"= '{Op.REMOVE}'", (run_id, list_id), seqs)


def _span(  # noqa: PLR0913, PLR0917 - the parts of one statement
    dialect: Dialect, shape: Shape, columns: str, op: str, whose: tuple[str, str], seqs: range
) -> Statement:
    return Statement(
        f"SELECT retl_seq, {columns} FROM {dialect.kept(shape.deltas)}\n"
        f"WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op {op} AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (*whose, seqs.start, seqs.stop - 1),
    )


def _as_read(column: Column) -> str:
    """Return a column as it is read for sending: clients take long to make decimals, and texts hold as much."""
    name = quote(column.name)
    return f"CAST({name} AS VARCHAR) AS {name}" if column.kind is Kind.DECIMAL else name


def delta_rows(dialect: Dialect, shape: Shape, run_id: str, first_seq: int, last_seq: int) -> Statement:
    """Return (seq, the four identifiers) of a range of deltas, to tie a job's errors to rows."""
    return Statement(
        f"SELECT retl_seq, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {dialect.kept(shape.deltas)}\n"
        f"WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (run_id, first_seq, last_seq),
    )


def wanted(  # noqa: PLR0913, PLR0917 - whose rows, and which
    dialect: Dialect, shape: Shape, run_id: str, model: str, kind: IdentifierType, values: Sequence[str]
) -> Statement:
    """Return (value, identity or NULL, list id, rejected) of the staged rows that carry one of `values`, rejected ones included.

    A row that Klaviyo refused in this run counts as rejected.
    """
    column = IDENTIFIER_COLUMNS[kind]
    refused = (
        f"SELECT d.retl_identity FROM {dialect.kept(shape.deltas)} AS d JOIN {dialect.kept('refusals')} AS f "
        f"ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    )
    if (
        dialect.engine is Engine.SNOWFLAKE
    ):  # IN with a query is for a WHERE clause there ("Subquery Operators")
        return Statement(
            f"SELECT s.{column}, s.retl_identity, l.retl_list_id,\n"
            f"  s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL AS retl_rejected\n"
            f"FROM {dialect.passing(shape.staged)} AS s "
            f"LEFT JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
            f"LEFT JOIN ({refused.replace('SELECT ', 'SELECT DISTINCT ', 1)}) AS x ON s.retl_identity = x.retl_identity\n"
            f"WHERE s.{column} IN ({', '.join('?' for _ in values)})",
            (run_id, model, *values),
        )
    return Statement(
        f"SELECT s.{column}, s.retl_identity, l.retl_list_id,\n"
        f"  s.retl_problem IS NOT NULL OR s.retl_identity IN ({refused}) AS retl_rejected\n"
        f"FROM {dialect.passing(shape.staged)} AS s LEFT JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"WHERE s.{column} IN ({', '.join('?' for _ in values)})",
        (run_id, model, *values),
    )


def take(dialect: Dialect, shape: Shape, run_id: str, model: str) -> tuple[Statement, ...]:
    """Gather which deltas receipts prove applied, and the rows of the snapshot that they take the place of."""
    deltas, refusals = (dialect.kept(name) for name in (shape.deltas, "refusals"))
    return (
        Statement(
            f"{dialect.recreate_passing(shape.taken)} AS\n"
            f"SELECT d.retl_seq, d.retl_op, {dialect.names(KEY_COLUMNS, 'd.')}\n"
            f"FROM {deltas} AS d JOIN (\n{_applied(dialect)}\n"
            f") AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
            f"WHERE d.retl_run_id = ?\n"
            f"AND d.retl_seq NOT IN (SELECT f.seq FROM {refusals} AS f WHERE f.run_id = ? AND f.model = ?)",
            (run_id, model, run_id, run_id, model),
        ),
        Statement(
            f"{dialect.recreate_passing(shape.replaced)} AS\n"
            f"SELECT {dialect.names(shape.row, 's.')} FROM {dialect.kept(shape.snapshot)} AS s\n"
            f"JOIN {dialect.passing(shape.taken)} AS t ON {_SAME.format(left='t', right='s')}"
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
    return Statement(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.passing(shape.taken)}")


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
        Statement(
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {taken} AS t WHERE {_SAME.format(left='t', right='retl_r')})"
        ),
        Statement(
            f"DELETE FROM {rejected} AS retl_r WHERE EXISTS (SELECT 1 FROM {deltas} AS d WHERE d.retl_run_id = ? "
            f"AND d.retl_seq IN ({refused}) AND {_SAME.format(left='d', right='retl_r')})",
            (run_id, *this_run),
        ),
        Statement(
            f"INSERT INTO {rejected} (retl_checksum, {row}) SELECT ?, {row} FROM {deltas} "
            f"WHERE retl_run_id = ? AND retl_seq IN ({refused})",
            (checksum, run_id, *this_run),
        ),
        *_no_longer_deltas(dialect, shape, this_run),
    )


def _into_snapshot(
    dialect: Dialect, shape: Shape, run_id: str, spans: Sequence[range | None]
) -> tuple[Statement, ...]:
    """Put the rows that were taken in the place of the snapshot's; on Snowflake by one statement, which rewrites it once."""
    snapshot, row = dialect.kept(shape.snapshot), dialect.names(shape.row)
    if dialect.engine is Engine.SNOWFLAKE:
        others = [dialect.name(name) for name in shape.row if name not in KEY_COLUMNS]
        return (
            Statement(
                f"MERGE INTO {snapshot} AS s USING (\n{_merged(dialect, shape)}\n) AS t "
                f"ON {_SAME.format(left='t', right='s')}\n"
                f"WHEN MATCHED AND t.retl_op = '{Op.REMOVE}' THEN DELETE\n"
                f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = t.{name}' for name in others)}\n"
                f"WHEN NOT MATCHED AND t.retl_op <> '{Op.REMOVE}' THEN INSERT ({row}) "
                f"VALUES ({dialect.names(shape.row, 't.')})",
                (run_id,),
            ),
        )
    taken = dialect.passing(shape.taken)
    return (
        Statement(
            f"DELETE FROM {snapshot} AS retl_s WHERE EXISTS (SELECT 1 FROM {taken} AS t WHERE {_SAME.format(left='t', right='retl_s')})"
        ),
        *(
            Statement(
                f"INSERT INTO {snapshot} ({row}) SELECT {row} FROM (\n{_merged(dialect, shape)}{_within(seqs, 'd')}\n) AS t "
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
        f"  LEFT JOIN {replaced} AS s ON {_SAME.format(left='s', right='d')}\n"
        f"  WHERE d.retl_run_id = ?"
    )


def _no_longer_deltas(dialect: Dialect, shape: Shape, this_run: tuple[str, str]) -> tuple[Statement, ...]:
    """Drop the deltas that were taken, and those that were refused and not uncertain before."""
    deltas, refusals = dialect.kept(shape.deltas), dialect.kept("refusals")
    taken = f"retl_seq IN (SELECT retl_seq FROM {dialect.passing(shape.taken)})"
    refused = f"NOT retl_uncertain AND retl_seq IN (SELECT f.seq FROM {refusals} AS f WHERE f.run_id = ? AND f.model = ?)"
    run_id = this_run[0]
    if (
        dialect.engine is Engine.SNOWFLAKE
    ):  # IN with a query is for a WHERE clause of ANDs there ("Subquery Operators")
        return (
            Statement(f"DELETE FROM {deltas} WHERE retl_run_id = ? AND {taken}", (run_id,)),
            Statement(f"DELETE FROM {deltas} WHERE retl_run_id = ? AND {refused}", (run_id, *this_run)),
        )
    return (
        Statement(
            f"DELETE FROM {deltas} WHERE retl_run_id = ? AND ({taken} OR ({refused}))", (run_id, *this_run)
        ),
    )


def forget_unsent(dialect: Dialect, shape: Shape, run_id: str, model: str) -> Statement:
    """Drop the deltas that no receipt covers. Only for a run that knows that it sent none of them.

    A row that was uncertain before this run stays so: that nothing was sent now says nothing about then.
    """
    return Statement(
        f"DELETE FROM {dialect.kept(shape.deltas)} WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq NOT IN (\n"
        f"  SELECT d.retl_seq FROM {dialect.kept(shape.deltas)} AS d JOIN {dialect.kept('receipts')} AS r\n"
        f"  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
        f"  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown'))",
        (run_id, run_id, run_id, model),
    )


def inherit(dialect: Dialect, shape: Shape, rows: Sequence[tuple[str, str, str]]) -> tuple[Statement, ...]:
    """Let rows count as first sent at the latest at a time: (list id, identity, time), at least one."""
    given = f"(VALUES {', '.join('(?, ?, ?)' for _ in rows)}) AS h ({', '.join(KEY_COLUMNS)}, retl_since)"
    values = tuple(value for row in rows for value in row)
    return tuple(
        Statement(
            f"UPDATE {dialect.kept(table)} AS t SET {FIRST_SENT} = LEAST(t.{FIRST_SENT}, h.retl_since)\n"
            f"FROM {given} WHERE {_SAME.format(left='h', right='t')}",
            values,
        )
        for table in (shape.snapshot, shape.deltas)
    )


def drop_scratch(dialect: Dialect, names: Sequence[str]) -> tuple[Statement, ...]:
    """Drop scratch tables."""
    return tuple(Statement(f"DROP TABLE IF EXISTS {dialect.passing(name)}") for name in names)
