"""Statements for rows that clash: several of one identity on a list, or several that carry one secondary identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.engine import Engine
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.staging import compared
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, Shape, omits
from reverse_etl.warehouse.statement import OURS, Dialect, Statement, literal

if TYPE_CHECKING:
    from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import PERSONAL
from reverse_etl.warehouse.model_tables import rekeyed_identity


def twins(dialect: Dialect, shape: Shape) -> Statement:
    """Find the identities that stand on several rows of one list."""
    one_list = "" if shape.many_lists else dialect.text("''") + " AS "
    key = "retl_list, retl_identity" if shape.many_lists else "retl_identity"
    good = f"FROM {dialect.passing(shape.staged)} WHERE retl_problem IS NULL"
    # DuckDB groups numbers faster than texts; the few rows whose number stands several times it then groups by text.
    number = f"HASH({key})"
    several = f" AND {number} IN (SELECT {number} {good} GROUP BY {number} HAVING COUNT(*) > 1)"
    return Statement.create(
        dialect.passing("twins_" + shape.key),
        f"{dialect.create_passing('twins_' + shape.key)} AS\n"
        f"SELECT {one_list}retl_list, retl_identity, COUNT(*) AS retl_rows\n"
        f"{good}{several if dialect.engine is Engine.DUCKDB else ''}\nGROUP BY {key} HAVING COUNT(*) > 1",
    )


def settle_twins(dialect: Dialect, shape: Shape) -> tuple[Statement, ...]:
    """Let rows of one identity that are equal in every column count as one, and reject the others, naming the columns."""
    staged, twins_, distinct = (
        dialect.passing(name) for name in (shape.staged, "twins_" + shape.key, "distinct_" + shape.key)
    )
    columns = ("retl_list", "retl_identity", *IDENTIFIER_COLUMNS.values(), *shape.payload_names)
    flags = "".join(f", {omits(kind)}" for kind in shape.secondary)
    unset = ", FALSE" * len(shape.secondary)
    differing = ", ".join(
        f"CASE WHEN COUNT(DISTINCT {value}) > 1 OR COUNT({value}) NOT IN (0, COUNT(*)) "
        f"THEN {dialect.literal(', ' + name.removeprefix(OURS))} ELSE '' END"
        for name, value in compared(dialect, shape, "").items()
    )
    same = "s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity"
    return (
        Statement.create(
            dialect.passing("distinct_" + shape.key),
            f"{dialect.create_passing('distinct_' + shape.key)} AS SELECT DISTINCT {dialect.names(columns, 's.')}\n"
            f"FROM {staged} AS s JOIN {twins_} AS t ON {same} WHERE s.retl_problem IS NULL",
        ),
        Statement.change(
            staged,
            f"DELETE FROM {staged} AS s WHERE s.retl_problem IS NULL\n"
            f"AND EXISTS (SELECT 1 FROM {twins_} AS t WHERE {same})",
        ),
        Statement.insert(
            staged,
            f"INSERT INTO {staged} (retl_problem, retl_detail, {dialect.names(columns)}{flags})\n"
            f"SELECT CASE WHEN t.retl_rows > 1 THEN {literal(RowProblem.DUPLICATE)} END, "
            f"CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END, {dialect.names(columns, 's.')}{unset}\n"
            f"FROM {distinct} AS s JOIN (\n"
            f"  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT({differing}) AS retl_differing\n"
            f"  FROM {distinct} GROUP BY retl_list, retl_identity\n) AS t ON {same}",
        ),
    )


def shared(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Find values of one identifier that belong to several identities.

    `retl_owner` is 1 where the value is itself some row's identity, `retl_shared` is 1 where several other rows carry it.
    """
    column = IDENTIFIER_COLUMNS[kind]
    other = f"CASE WHEN retl_identity <> {literal(kind + ':')} || {column} THEN retl_identity END"
    good = f"FROM {dialect.passing(shape.staged)} WHERE retl_problem IS NULL AND {column} IS NOT NULL"
    # Few values stand on several rows: find those by a cheap count before comparing identities.
    return Statement.create(
        dialect.passing(f"shared_{kind}_{shape.key}"),
        f"{dialect.create_passing(f'shared_{kind}_{shape.key}')} AS\n"
        f"SELECT {column} AS retl_value,\n"
        f"  MAX(CASE WHEN retl_identity = {literal(kind + ':')} || {column} THEN 1 ELSE 0 END) AS retl_owner,\n"
        f"  CASE WHEN MIN({other}) <> MAX({other}) THEN 1 ELSE 0 END AS retl_shared\n"
        f"{good} AND {column} IN (SELECT {column} {good} GROUP BY {column} HAVING COUNT(*) > 1)\n"
        f"GROUP BY {column} HAVING MIN(retl_identity) <> MAX(retl_identity)",
    )


def reject_owners(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Reject each row whose identity is another row's secondary identifier."""
    column = IDENTIFIER_COLUMNS[kind]
    table = dialect.passing(shape.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_problem = {literal(RowProblem.IDENTITY_ELSEWHERE)}, "
        f"retl_detail = {literal(kind)}\n"
        f"WHERE retl_problem IS NULL AND retl_identity = {literal(kind + ':')} || {column}\n"
        f"AND {column} IN (SELECT retl_value FROM {dialect.passing(f'shared_{kind}_{shape.key}')} WHERE retl_owner = 1)",
    )


def shared_count(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Return how many rows carry a secondary identifier that several rows share."""
    return Statement.read(
        f"SELECT COUNT(*) FROM {dialect.passing(shape.staged)} WHERE {_carries_shared(dialect, shape, kind)}"
    )


def omit_shared(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Leave a secondary identifier that several rows share out of what is sent of all of them."""
    table = dialect.passing(shape.staged)
    return Statement.change(
        table, f"UPDATE {table} SET {omits(kind)} = TRUE\nWHERE {_carries_shared(dialect, shape, kind)}"
    )


def reject_shared(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Reject every row that carries a secondary identifier that several rows share."""
    table = dialect.passing(shape.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_problem = {literal(RowProblem.SHARED)}, "
        f"retl_detail = {literal(kind)}\nWHERE {_carries_shared(dialect, shape, kind)}",
    )


def _carries_shared(dialect: Dialect, shape: Shape, kind: IdentifierType) -> str:
    column = IDENTIFIER_COLUMNS[kind]
    return (
        f"retl_problem IS NULL AND retl_identity <> {literal(kind + ':')} || {column}\n"
        f"AND {column} IN (SELECT retl_value FROM {dialect.passing(f'shared_{kind}_{shape.key}')} WHERE retl_shared = 1)"
    )


def claimed(dialect: Dialect, shape: Shape, kind: IdentifierType, *, rekeyed: bool) -> Statement:
    """Find the planned upserts whose secondary identifier a kept row has, and another desired row is that row's person.

    Its person is the desired row of the same identity, e-mail or id: also one that comes with another identity today, since Klaviyo
    gives that to the same profile. A row of a list that the model drives no more claims nothing: what Klaviyo has may have changed
    since. With `rekeyed`, kept rows go by today's identifiers.
    """
    column, staged = IDENTIFIER_COLUMNS[kind], dialect.passing(shape.staged)
    sent = shape.sent_identifiers("s")[column]
    identity = rekeyed_identity(shape) if rekeyed else "retl_identity"
    personal = [
        IDENTIFIER_COLUMNS[each] for each in PERSONAL if each in shape.identifiers and each is not kind
    ]
    driven = f"SELECT retl_list_id FROM {dialect.passing(shape.lists)}"
    kept = "\n  UNION ALL ".join(
        f"SELECT {', '.join((f'{identity} AS retl_identity', column, *personal))} FROM {dialect.kept(table)} "
        f"WHERE {column} IS NOT NULL AND retl_list_id IN ({driven})"
        for table in (shape.snapshot, shape.deltas)
    )
    claims = "\nUNION ".join(
        f"SELECT s.retl_identity FROM asked AS s JOIN kept AS k ON k.{column} = s.{column} AND k.retl_identity <> s.retl_identity\n"
        f"  JOIN {staged} AS d ON d.{same} = k.{same} AND d.retl_identity <> s.retl_identity"
        for same in ("retl_identity", *personal)
    )
    return Statement.create(
        dialect.passing(_table(shape, kind)),
        f"{dialect.recreate_passing(_table(shape, kind))} AS\n"
        f"WITH asked AS (\n"
        f"  SELECT s.retl_identity, {sent} AS {column} FROM {staged} AS s\n"
        f"  JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"  JOIN {dialect.passing(shape.planned)} AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id\n"
        f"  WHERE p.retl_op IN ('{Op.ADD}', '{Op.UPDATE}') AND s.retl_problem IS NULL\n"
        f"  AND s.retl_identity <> {literal(kind + ':')} || s.{column}\n"
        f"),\nkept AS (\n  {kept}\n)\n{claims}",
    )


def claimed_count(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Return how many identities are to be sent without that identifier."""
    return Statement.read(f"SELECT COUNT(*) FROM {dialect.passing(_table(shape, kind))}")


def omit_claimed(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Leave the identifier out of what is sent of these rows."""
    table = dialect.passing(shape.staged)
    return Statement.change(
        table,
        f"UPDATE {table} SET {omits(kind)} = TRUE\n"
        f"WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM {dialect.passing(_table(shape, kind))})",
    )


def _table(shape: Shape, kind: IdentifierType) -> str:
    return f"claimed_{kind}_{shape.key}"
