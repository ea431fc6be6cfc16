"""The deltas: what a run is to send, put down before its first write, and read back while it sends.

A row is uncertain from then on until a receipt says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import PERSONAL, IdentifierType
from reverse_etl.warehouse.model_tables import (
    FIRST_SENT,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    MARKS,
    Shape,
    desired,
    rekeyed_identity,
    same_key,
    same_row,
)
from reverse_etl.warehouse.statement import Dialect, Statement, quote

if TYPE_CHECKING:
    from collections.abc import Sequence


_BEGUN = f"p.retl_op NOT IN ('{Op.HELD}', '{Op.LEFT}')"  # what a run sets out to do


def make_way(dialect: Dialect, shape: Shape) -> Statement:
    """Drop the uncertain rows of earlier runs in whose place the plan puts its own."""
    table = dialect.kept(shape.deltas)
    return Statement.change(
        table,
        f"DELETE FROM {table} AS u WHERE EXISTS (SELECT 1 FROM {dialect.passing(shape.planned)} AS p "
        f"WHERE {_BEGUN} AND {same_key('p', 'u')})",
    )


def last_seq(dialect: Dialect, shape: Shape) -> Statement:
    """Return the number of the plan's last delta, 0 where it has none."""
    return Statement.read(f"SELECT COALESCE(MAX(retl_seq), 0) FROM {dialect.passing(shape.planned)}")


def begin(dialect: Dialect, shape: Shape, run_id: str, first_sent_at: str, seqs: range | None) -> Statement:
    """Make the plan's deltas uncertain under this run: those of a span, or all of them.

    They lie in the order of their numbers, so that whoever reads a span of them looks at no other.
    """
    values = [f"p.{name}" for name in (*MARKS, *KEY_COLUMNS)]
    values += [f"COALESCE(p.{name}, d.{name})" for name in IDENTIFIER_COLUMNS.values()]
    values += [f"COALESCE(p.{FIRST_SENT}, ?)", *(f"d.{quote(name)}" for name in shape.payload_names)]
    table = dialect.kept(shape.deltas)
    return Statement.insert(
        table,
        f"INSERT INTO {table} (retl_run_id, {dialect.names((*MARKS, *shape.row))})\n"
        f"SELECT ?, {', '.join(values)}\n"
        f"FROM {dialect.passing(shape.planned)} AS p "
        f"LEFT JOIN (\n{desired(dialect, shape)}\n) AS d ON {same_row(shape, 'd', 'p')}\n"
        f"WHERE {_BEGUN}{within(seqs, 'p')} ORDER BY p.retl_seq",
        (run_id, first_sent_at),
    )


def rekey(dialect: Dialect, shape: Shape) -> tuple[Statement, ...]:
    """Give snapshot and uncertain rows the identity that the model's identifiers of today make."""
    same = same_key("n", "t")
    return tuple(
        Statement.change(
            dialect.kept(table),
            f"UPDATE {dialect.kept(table)} AS t SET retl_identity = n.retl_new FROM (\n"
            f"  SELECT {', '.join(KEY_COLUMNS)}, {rekeyed_identity(shape)} AS retl_new FROM {dialect.kept(table)}\n"
            f") AS n WHERE {same}",
        )
        for table in (shape.snapshot, shape.deltas)
    )


def spans(dialect: Dialect, shape: Shape, run_id: str) -> Statement:
    """Return (list id, whether they are removes, first seq, last seq) of a run's deltas."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op = '{Op.REMOVE}' AS retl_removes, MIN(retl_seq), MAX(retl_seq) "
        f"FROM {dialect.kept(shape.deltas)}\n"
        f"WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = '{Op.REMOVE}' ORDER BY 3",
        (run_id,),
    )


def upserts(dialect: Dialect, shape: Shape, run_id: str, list_id: str, seqs: range) -> Statement:
    """Return (seq, the model's identifiers, the payload) of one list's upserts in a span, by seq; decimals as text."""
    identifiers = (IDENTIFIER_COLUMNS[kind] for kind in shape.identifiers)
    columns = ", ".join((*identifiers, *(_as_read(column) for column in shape.payload)))
    return _span(dialect, shape, columns, f"IN ('{Op.ADD}', '{Op.UPDATE}')", (run_id, list_id), seqs)


def removes(dialect: Dialect, shape: Shape, run_id: str, list_id: str, seqs: range) -> Statement:
    """Return (seq, identity, the four identifiers, first sent, in snapshot) of one list's removes in a span, by seq."""
    columns = f"retl_identity, {', '.join(IDENTIFIER_COLUMNS.values())}, {FIRST_SENT}, retl_in_snapshot"
    return _span(dialect, shape, columns, f"= '{Op.REMOVE}'", (run_id, list_id), seqs)


def _span(  # noqa: PLR0913, PLR0917 - the parts of one statement
    dialect: Dialect, shape: Shape, columns: str, op: str, whose: tuple[str, str], seqs: range
) -> Statement:
    return Statement.read(
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
    return Statement.read(
        f"SELECT retl_seq, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {dialect.kept(shape.deltas)}\n"
        f"WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq",
        (run_id, first_seq, last_seq),
    )


def wanted(  # noqa: PLR0913, PLR0917 - whose rows, and which
    dialect: Dialect,
    shape: Shape,
    run: tuple[str, str],
    list_id: str,
    kind: IdentifierType,
    values: Sequence[str],
) -> Statement:
    """Return (value, identity or NULL, list id, rejected) of the staged rows that carry one of `values`, rejected ones included.

    `run` is its id and the model. A row counts as rejected too that Klaviyo refused in this run, or that this run sent to the list
    without a proof that it was applied. Such a row carries what the model says, any other what it is sent with.
    """
    column = IDENTIFIER_COLUMNS[kind]
    deltas = dialect.kept(shape.deltas)
    refused = (
        f"SELECT DISTINCT d.retl_identity FROM {deltas} AS d JOIN {dialect.kept('refusals')} AS f "
        f"ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected'"
    )
    rejected = "(s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL))"
    return Statement.read(
        f"SELECT s.{column}, s.retl_identity, l.retl_list_id,\n"
        f"  {rejected} AS retl_rejected\n"
        f"FROM {dialect.passing(shape.staged)} AS s "
        f"LEFT JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"LEFT JOIN ({refused}) AS x ON s.retl_identity = x.retl_identity\n"
        f"LEFT JOIN {deltas} AS d ON d.retl_run_id = ? AND d.retl_list_id = ? AND d.retl_op <> '{Op.REMOVE}' "
        f"AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id\n"
        f"LEFT JOIN {dialect.kept('receipts')} AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied' "
        f"AND d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
        f"WHERE s.{column} IN ({', '.join('?' for _ in values)})\n"
        f"AND ({rejected} OR {shape.sent_identifiers('s')[column]} IS NOT NULL)",
        (*run, run[0], list_id, run[1], *values),
    )


def doubt(dialect: Dialect, shape: Shape, list_ids: Sequence[str]) -> Statement:
    """Make the snapshot's rows of these lists uncertain that no delta speaks of, as those of rejected rows.

    They are of no run: no receipt will cover them, and they stay until they are sent again or removed.
    """
    marks = ", ".join("?" for _ in list_ids)
    text = insert_doubt(dialect, shape, f"s.retl_list_id IN ({marks})")
    return Statement.insert(dialect.kept(shape.deltas), text, (*list_ids,))


def doubt_waiting(dialect: Dialect, shape: Shape) -> Statement:
    """Make the rows uncertain whose removal is held, or waits behind a limit.

    What is sent meanwhile may make other people of their profiles. So they are sent again where they come back.
    """
    waiting = (
        f"SELECT 1 FROM {dialect.passing(shape.planned)} AS p WHERE NOT ({_BEGUN}) AND {same_key('p', 's')}"
    )
    return Statement.insert(dialect.kept(shape.deltas), insert_doubt(dialect, shape, f"EXISTS ({waiting})"))


def doubt_unsent(dialect: Dialect, shape: Shape, run_id: str, model: str) -> Statement:
    """Make the rows uncertain whose removal was planned and not sent, or was held: as `doubt_waiting`."""
    return _left_in_doubt(dialect, shape, run_id, model, "NOT retl_uncertain")


def keep_doubt(dialect: Dialect, shape: Shape, run_id: str, model: str) -> Statement:
    """Let rows go on in doubt that were so before their removal was planned and not sent, or was held.

    One whose removal was sent before, or of which nobody knows that it was ever added, may be off the list, and stays a removal.
    """
    return _left_in_doubt(dialect, shape, run_id, model, "retl_uncertain AND retl_in_snapshot")


def _left_in_doubt(dialect: Dialect, shape: Shape, run_id: str, model: str, which: str) -> Statement:
    unsent, parameters = _unsent(dialect, shape, run_id, model)
    table = dialect.kept(shape.deltas)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_run_id = '', retl_seq = 0, retl_op = '{Op.UPDATE}', retl_uncertain = TRUE\n"
        f"WHERE retl_op = '{Op.REMOVE}' AND {which} AND {unsent}",
        parameters,
    )


def insert_doubt(dialect: Dialect, shape: Shape, which: str) -> str:
    """Return the statement that makes rows of the snapshot, called s, uncertain: those of which no delta speaks."""
    deltas = dialect.kept(shape.deltas)
    return (
        f"INSERT INTO {deltas} (retl_run_id, {dialect.names((*MARKS, *shape.row))})\n"
        f"SELECT '', 0, '{Op.UPDATE}', TRUE, TRUE, {dialect.names(shape.row, 's.')} FROM {dialect.kept(shape.snapshot)} AS s\n"
        f"WHERE {which} AND NOT EXISTS (SELECT 1 FROM {deltas} AS d WHERE {same_key('d', 's')})"
    )


def follow(dialect: Dialect, shape: Shape, run_id: str, former: str, list_ids: Sequence[str]) -> Statement:
    """Let a run's rows count as first sent when another model sent their person to these lists, if that was earlier. May be repeated.

    Their person is who has their identity, their e-mail or an id of theirs. `former` ends the names of that model's tables. Whoever
    it put there was put there by this job.
    """
    marks = ", ".join("?" for _ in list_ids)
    same = ("retl_identity", *(IDENTIFIER_COLUMNS[kind] for kind in PERSONAL))
    tables = (dialect.kept(f"{name}_{former}") for name in ("snapshot", "deltas"))
    sent = "\n  UNION ALL ".join(
        f"SELECT retl_list_id, {', '.join(same)}, {FIRST_SENT} FROM {table} WHERE retl_list_id IN ({marks})"
        for table in tables
    )
    matches = "\n    UNION ALL ".join(
        f"SELECT d.retl_list_id, d.retl_identity, f.{FIRST_SENT} FROM {dialect.kept(shape.deltas)} AS d JOIN sent AS f "
        f"ON d.retl_list_id = f.retl_list_id AND d.{column} = f.{column} WHERE d.retl_run_id = ?"
        for column in same
    )
    table = dialect.kept(shape.deltas)
    return Statement.change(
        table,
        f"UPDATE {table} AS t SET {FIRST_SENT} = LEAST(t.{FIRST_SENT}, h.retl_since)\n"
        f"FROM (\n  WITH sent AS (\n  {sent}\n  )\n"
        f"  SELECT {', '.join(KEY_COLUMNS)}, MIN({FIRST_SENT}) AS retl_since FROM (\n    {matches}\n  ) AS m "
        f"GROUP BY {', '.join(KEY_COLUMNS)}\n) AS h WHERE t.retl_run_id = ? AND {same_key('h', 't')}",
        (*list_ids, *list_ids, *(run_id for _ in same), run_id),
    )


def inherit(dialect: Dialect, shape: Shape, rows: Sequence[tuple[str, str, str]]) -> tuple[Statement, ...]:
    """Let rows count as first sent at the latest at a time: (list id, identity, time), at least one."""
    given = f"(VALUES {', '.join('(?, ?, ?)' for _ in rows)}) AS h ({', '.join(KEY_COLUMNS)}, retl_since)"
    values = tuple(value for row in rows for value in row)
    return tuple(
        Statement.change(
            dialect.kept(table),
            f"UPDATE {dialect.kept(table)} AS t SET {FIRST_SENT} = LEAST(t.{FIRST_SENT}, h.retl_since)\n"
            f"FROM {given} WHERE {same_key('h', 't')}",
            values,
        )
        for table in (shape.snapshot, shape.deltas)
    )


def forget_unsent(dialect: Dialect, shape: Shape, run_id: str, model: str) -> Statement:
    """Drop the deltas of which nothing says that they may have been carried out. Only for a run that knows what it sent.

    A row that was uncertain before this run stays so: that nothing was sent now says nothing about then.
    """
    unsent, parameters = _unsent(dialect, shape, run_id, model)
    table = dialect.kept(shape.deltas)
    return Statement.change(table, f"DELETE FROM {table} WHERE NOT retl_uncertain AND {unsent}", parameters)


def _unsent(dialect: Dialect, shape: Shape, run_id: str, model: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition that a run's delta was not sent, with its parameters.

    A held row was not, though it lies among those of which nobody knows.
    """
    refused = (
        f"SELECT f.seq FROM {dialect.kept('refusals')} AS f WHERE f.run_id = ? AND f.model = ? AND f.kind ="
    )
    condition = (
        f"retl_run_id = ? AND retl_seq NOT IN (\n"
        f"  SELECT d.retl_seq FROM {dialect.kept(shape.deltas)} AS d JOIN {dialect.kept('receipts')} AS r\n"
        f"  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq\n"
        f"  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown')\n"
        f"  AND d.retl_seq NOT IN ({refused} 'held'))\n"
        f"AND retl_seq NOT IN ({refused} 'unknown')"
    )
    return condition, (run_id, run_id, run_id, model, run_id, model, run_id, model)


def within(seqs: range | None, table: str) -> str:
    """Return the condition that a row is of a span; "" for all rows."""
    return f" AND {table}.retl_seq BETWEEN {seqs.start} AND {seqs.stop - 1}" if seqs else ""
