"""The diff: what must be sent so that each list becomes what the model says.

It reads the staged rows that may be sent, the snapshot, and the uncertain rows (deltas of earlier runs of which nobody knows
whether Klaviyo applied them). Columns are compared with IS DISTINCT FROM: no hash, no collision, no confusion of NULL and ''. A
desired NULL is no change. An uncertain identity that is desired is sent again; one that is not is removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.warehouse.model_tables import (
    FIRST_SENT,
    IDENTIFIER_COLUMNS,
    KEY_COLUMNS,
    MARKS,
    Shape,
    _identifiers,
    desired,
    rekeyed_identity,
    same_row,
)
from reverse_etl.warehouse.statement import Dialect, Statement, quote
from reverse_etl.warehouse.type_changes import as_today, is_retyped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.domain.columns import Column


_WAS = "retl_was_"  # begins the name under which a sample has a column as it is kept


@dataclass(frozen=True)
class Scope:
    """What the diff is asked for besides the change: every row again, the rows uncertain, identities by today's identifiers.

    All rows of the lists `doubted`, by id, are uncertain: another model has driven them since.
    """

    full_refresh: bool = False
    uncertain: bool = False
    rekeyed: bool = False
    doubted: tuple[str, ...] = ()


def difference(dialect: Dialect, shape: Shape, kept: Mapping[str, Column]) -> Statement:
    """Return a row where the rows that may be sent are not, one for one, what the snapshot has; it ends at the first.

    Where as many rows were staged as the snapshot has, and this returns none, no identity stands twice among them: the snapshot has
    each once, and each of its rows found its like. They may still share other identifiers, as the snapshot's rows may.
    """
    return Statement.read(
        f"WITH desired AS (\n{desired(dialect, shape)}\n),\nknown AS (\n{_known(dialect, shape, kept, Scope())}\n)\n"
        f"SELECT 1 AS retl_differs\n"
        f"FROM desired AS d FULL OUTER JOIN known AS k ON {same_row(shape, 'd', 'k')}\n"
        f"WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL\n"
        f"  OR ({_changed(dialect, shape)})\nLIMIT 1"
    )


def nothing(dialect: Dialect, shape: Shape) -> Statement:
    """Make the plan of a model that has nothing to send."""
    types = {"retl_seq": "BIGINT", "retl_in_snapshot": "BOOLEAN", "retl_uncertain": "BOOLEAN"}
    names = (*MARKS, *KEY_COLUMNS, *_identifiers(), FIRST_SENT)
    columns = ", ".join(f"{name} {types.get(name, 'VARCHAR')}" for name in names)
    return Statement.create(
        dialect.passing(shape.planned), f"{dialect.recreate_passing(shape.planned)} ({columns})"
    )


def diff(dialect: Dialect, shape: Shape, kept: Mapping[str, Column], scope: Scope) -> tuple[Statement, ...]:
    """Work out the plan's deltas, numbered from 1 by list, upserts before removes, and identity in binary order.

    A row to remove counts as in the snapshot only where no earlier run may have removed it already.

    They are narrow, since numbering wide rows takes many times as long: what an upsert sends stays with the staged rows, and only
    removes carry identifiers. `kept` are the columns of the snapshot, empty when there is none yet.

    DuckDB takes far less time and memory where the join carries only what it compares, the rest is fetched for what changed, and
    rows are sorted before they are numbered as they pass. That a window without an order of its own follows its subquery's is
    DuckDB's way and not SQL's, so that a test of many rows watches it.
    """
    known = f"known AS (\n{_known(dialect, shape, kept, scope)}\n)"
    planned, changed = dialect.recreate_passing(shape.planned), dialect.passing(shape.changed)
    if dialect.engine is Engine.SNOWFLAKE:
        carried = ", " + _carried("d.retl_identity IS NULL")
        rows = _changed_rows(dialect, shape, known, scope, carried)
        number = f"ROW_NUMBER() OVER ({_order(shape)}) AS retl_seq"
        whole = f"{planned} AS\nSELECT {number}, *\nFROM (\n{rows}\n) AS retl_changed"
        return (Statement.create(dialect.passing(shape.planned), whole),)
    carried = _carried(f"c.retl_op = '{Op.REMOVE}'")
    return (
        Statement.create(
            changed,
            f"{dialect.recreate_passing(shape.changed)} AS\n{_changed_rows(dialect, shape, known, scope)}",
        ),
        Statement.create(
            dialect.passing(shape.planned),
            f"{planned} AS\nWITH {known}\nSELECT ROW_NUMBER() OVER () AS retl_seq, *\nFROM (\n"
            f"  SELECT c.*, {carried}\n"
            f"  FROM {changed} AS c LEFT JOIN known AS k ON {same_row(shape, 'c', 'k')}\n"
            f"  {_order(shape, 'c.')}\n) AS retl_sorted",
        ),
        Statement.drop(changed, f"DROP TABLE {changed}"),
    )


def _changed_rows(dialect: Dialect, shape: Shape, known: str, scope: Scope, carried: str = "") -> str:
    """Return the query of the rows to send or to remove: what is asked for, and whose they are."""
    op = (
        f"CASE WHEN d.retl_identity IS NULL THEN '{Op.REMOVE}' WHEN k.retl_in_snapshot THEN '{Op.UPDATE}' "
        f"ELSE '{Op.ADD}' END"
    )
    changed = "TRUE" if scope.full_refresh else _changed(dialect, shape)
    return (
        f"WITH desired AS (\n{desired(dialect, shape)}\n),\n{known}\n"
        f"SELECT {dialect.text(op)} AS retl_op,\n"
        f"  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,\n"
        f"  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,\n"
        f"  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,\n"
        f"  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity{carried}\n"
        f"FROM desired AS d FULL OUTER JOIN known AS k ON {same_row(shape, 'd', 'k')}\n"
        f"WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain\n"
        f"  OR ({changed})"
    )


def _carried(leaves: str) -> str:
    """Return what a delta has of a known row: the identifiers of one that leaves, and when it was first sent."""
    return ", ".join(
        (
            *(f"CASE WHEN {leaves} THEN k.{name} END AS {name}" for name in _identifiers()),
            f"k.{FIRST_SENT} AS {FIRST_SENT}",
        )
    )


def _order(shape: Shape, table: str = "") -> str:
    by_list = f"{table}retl_list_id, " if shape.many_lists else ""
    upserts_first = f"CASE WHEN {table}retl_op = '{Op.REMOVE}' THEN 1 ELSE 0 END"
    return f"ORDER BY {by_list}{upserts_first}, {table}retl_identity"


def cut(dialect: Dialect, shape: Shape, limit: int) -> tuple[Statement, ...]:
    """Leave of the plan only the first `limit` upserts; removals wait."""
    planned, upserts = dialect.passing(shape.planned), f"retl_op <> '{Op.REMOVE}'"
    return (
        Statement.change(
            planned,
            f"DELETE FROM {planned} WHERE {upserts} AND retl_seq NOT IN (\n"
            f"  SELECT retl_seq FROM {planned} WHERE {upserts} ORDER BY retl_seq LIMIT {limit})",
        ),
        Statement.change(
            planned, f"UPDATE {planned} SET retl_op = '{Op.LEFT}' WHERE retl_op = '{Op.REMOVE}'"
        ),
    )


def keep_rejected(dialect: Dialect, shape: Shape) -> Statement:
    """Drop the removal of a row that is still desired on that list, though it can't be sent as it is."""
    table = dialect.passing(shape.planned)
    return Statement.change(
        table,
        f"DELETE FROM {table} AS retl_p WHERE retl_p.retl_op = '{Op.REMOVE}' AND EXISTS (\n"
        f"  SELECT 1 FROM {dialect.passing(shape.staged)} AS s JOIN {dialect.passing(shape.lists)} AS l "
        f"ON s.retl_list = l.retl_list\n"
        f"  WHERE s.retl_problem IS NOT NULL AND s.retl_identity = retl_p.retl_identity AND l.retl_list_id = retl_p.retl_list_id)",
    )


def hold_protected(dialect: Dialect, shape: Shape) -> Statement:
    """Hold each removal that shares an identifier with a rejected row of the model, on every list."""
    staged, planned = dialect.passing(shape.staged), dialect.passing(shape.planned)
    sharing = "\n  UNION ".join(
        f"SELECT p.retl_seq FROM {planned} AS p JOIN {staged} AS s ON s.{column} = p.{column} "
        f"WHERE p.retl_op = '{Op.REMOVE}' AND s.retl_problem IS NOT NULL"
        for column in _identifiers()
    )
    return Statement.change(
        planned,
        f"UPDATE {planned} AS p SET retl_op = '{Op.HELD}'\nFROM (\n  {sharing}\n) AS h WHERE p.retl_seq = h.retl_seq",
    )


def planned_counts(dialect: Dialect, shape: Shape) -> Statement:
    """Return (list id, op, rows) of the plan."""
    return Statement.read(
        f"SELECT retl_list_id, retl_op, COUNT(*) FROM {dialect.passing(shape.planned)} "
        f"GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op"
    )


def leaving_counts(dialect: Dialect, shape: Shape) -> Statement:
    """Return (list id, rows without e-mail and phone, rows that carry each identifier) of the removes."""
    email, phone = IDENTIFIER_COLUMNS[IdentifierType.EMAIL], IDENTIFIER_COLUMNS[IdentifierType.PHONE]
    carried = ", ".join(f"COUNT({column})" for column in _identifiers())
    return Statement.read(
        f"SELECT retl_list_id, COUNT(*) - COUNT(COALESCE({email}, {phone})), {carried} "
        f"FROM {dialect.passing(shape.planned)} WHERE retl_op = '{Op.REMOVE}' GROUP BY retl_list_id ORDER BY retl_list_id"
    )


def sample(
    dialect: Dialect, shape: Shape, kept: Mapping[str, Column], per_op: int, scope: Scope
) -> Statement:
    """Return the first deltas of each list and op: (list id, op, identity), then identifiers and payload after, then before.

    At the end what is kept of each `retyped` column, as it is kept.
    """
    were = enumerate(retyped(dialect, shape, kept))
    kept_as = {f"{_WAS}{number}": f"s.{quote(column.name)}" for number, column in were}
    known = f"(\n{_known(dialect, shape, kept, scope, kept_as)}\n)"
    values = (*_identifiers(), *shape.payload_names)
    before = dialect.names((*values, *kept_as), "k.")
    return Statement.read(
        f"SELECT p.retl_list_id, p.retl_op, p.retl_identity, {dialect.names(values, 'd.')}, {before}\n"
        f"FROM (SELECT * FROM {dialect.passing(shape.planned)} WHERE retl_op <> '{Op.LEFT}' "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= {per_op}) AS p\n"
        f"LEFT JOIN (\n{desired(dialect, shape)}\n) AS d ON {same_row(shape, 'd', 'p')}\n"
        f"LEFT JOIN {known} AS k ON {same_row(shape, 'k', 'p')}\n"
        f"ORDER BY p.retl_seq"
    )


def name_lists(dialect: Dialect, shape: Shape, ids: Mapping[str, str]) -> Statement:
    """Give the deltas of lists that were just created their ids, by the placeholder that the plan has for each.

    The table is made anew, since DuckDB would keep every row that is updated in memory.
    """
    cases = " ".join("WHEN ? THEN ?" for _ in ids)
    columns = ", ".join((*MARKS, "retl_identity", *_identifiers(), FIRST_SENT))
    planned = dialect.passing(shape.planned)
    return Statement.create(
        planned,
        f"{dialect.recreate_passing(shape.planned)} AS\n"
        f"SELECT {dialect.text(f'CASE retl_list_id {cases} ELSE retl_list_id END')} AS retl_list_id, {columns} FROM {planned}",
        tuple(text for pair in ids.items() for text in pair),
        repeatable=False,
    )


def retyped(dialect: Dialect, shape: Shape, kept: Mapping[str, Column]) -> tuple[Column, ...]:
    """Return the kept columns of the payload whose type is another one today."""
    pairs = _paired(shape, kept)
    return tuple(was for column, was in pairs if was is not None and is_retyped(dialect, column, was))


def _paired(shape: Shape, kept: Mapping[str, Column]) -> Iterator[tuple[Column, Column | None]]:
    """Yield each column of the payload, and what is kept of it; names match without regard to case."""
    folded = {name.lower(): column for name, column in kept.items()}
    return ((column, folded.get(column.name.lower())) for column in shape.payload)


def _known(
    dialect: Dialect,
    shape: Shape,
    kept: Mapping[str, Column],
    scope: Scope,
    besides: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the query of the rows that Klaviyo has or may have, with these values of the snapshot `besides`."""
    names = (*_identifiers(), FIRST_SENT)
    if not kept:
        nothing = [*(f"CAST(NULL AS VARCHAR) AS {name}" for name in (*KEY_COLUMNS, *names))]
        nothing += [
            f"CAST(NULL AS {dialect.kept_type(column)}) AS {quote(column.name)}" for column in shape.payload
        ]
        nowhere = " FROM (SELECT 1 AS retl_one) AS retl_nothing" if dialect.engine is Engine.SNOWFLAKE else ""
        return f"  SELECT {', '.join(nothing)}, FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing{nowhere} WHERE FALSE"
    today = {column.name: as_today(dialect, column, was, "s.") for column, was in _paired(shape, kept)}
    today |= besides
    values = "".join(f", {value} AS {dialect.name(name)}" for name, value in today.items())
    identity = rekeyed_identity(shape, "s.") if scope.rekeyed else "s.retl_identity"
    identifiers = dialect.names(names, "s.")
    # DuckDB looks into a set for every row, even of one value; a value it compares.
    mine = f"FROM {dialect.passing(shape.lists)}"
    compares = dialect.engine is Engine.DUCKDB and not shape.many_lists
    on_mine = f"= (SELECT MAX(retl_list_id) {mine})" if compares else f"IN (SELECT retl_list_id {mine})"
    snapshot = (
        f"SELECT s.retl_list_id, {identity} AS retl_identity, {identifiers}{values}\n"
        f"  FROM {dialect.kept(shape.snapshot)} AS s WHERE s.retl_list_id {on_mine}"
    )
    listed = ", ".join(dialect.literal(list_id) for list_id in scope.doubted)
    doubted = f"s.retl_list_id IN ({listed})" if listed else "FALSE"
    if not scope.uncertain:
        return f"  SELECT *, TRUE AS retl_in_snapshot, {doubted} AS retl_uncertain, FALSE AS retl_removing FROM ({snapshot}) AS s"
    merged = ", ".join(f"COALESCE(s.{name}, u.{name}) AS {name}" for name in (*KEY_COLUMNS, *names))
    payload = "".join(f", s.{dialect.name(name)}" for name in today)
    u_identity = rekeyed_identity(shape) if scope.rekeyed else "retl_identity"
    return (
        f"  SELECT {merged}{payload}, s.retl_identity IS NOT NULL AS retl_in_snapshot, "
        f"u.retl_identity IS NOT NULL{f' OR {doubted}' if listed else ''} AS retl_uncertain, "
        f"COALESCE(u.retl_op = '{Op.REMOVE}', FALSE) AS retl_removing\n"
        f"  FROM ({snapshot}) AS s FULL OUTER JOIN (\n"
        f"    SELECT retl_list_id, {u_identity} AS retl_identity, {dialect.names(names)}, retl_op\n"
        f"    FROM {dialect.kept(shape.deltas)} WHERE retl_list_id {on_mine}\n"
        f"  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity"
    )


def _changed(dialect: Dialect, shape: Shape) -> str:
    # Where a row has the first identifier, that is its identity, and so the same on both sides.
    identifiers = [dialect.name(IDENTIFIER_COLUMNS[kind]) for kind in shape.secondary]
    tests = [f"d.{name} IS DISTINCT FROM k.{name}" for name in identifiers]
    tests += [
        f"{dialect.comparable(f'd.{quote(column.name)}', column)} IS DISTINCT FROM "
        f"{dialect.comparable(f'k.{quote(column.name)}', column)}"
        for column in shape.payload
    ]
    names = (*identifiers, *(quote(name) for name in shape.payload_names))
    moved = (f"(d.{name} IS NOT NULL AND {differs})" for name, differs in zip(names, tests, strict=True))
    return "\n    OR ".join(moved) or "FALSE"
