"""Statements of claimed identifiers: a row's secondary identifier that another desired row has at Klaviyo.

A desired NULL is no change, so the snapshot still gives the identifier to the other row, and so does Klaviyo. Sent with it, the new
row would be taken for the other one's profile and overwrite it. It is sent without, as if both rows carried the identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.identifiers import PERSONAL
from reverse_etl.sql.diff import Op, rekeyed_identity
from reverse_etl.sql.shape import IDENTIFIER_COLUMNS, Shape, omits
from reverse_etl.sql.text import Dialect, Statement, literal

if TYPE_CHECKING:
    from reverse_etl.identifiers import IdentifierType


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
    return Statement(
        f"{dialect.recreate_passing(_table(shape, kind))} AS\n"
        f"WITH asked AS (\n"
        f"  SELECT s.retl_identity, {sent} AS {column} FROM {staged} AS s\n"
        f"  JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"  JOIN {dialect.passing(shape.planned)} AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id\n"
        f"  WHERE p.retl_op IN ('{Op.ADD}', '{Op.UPDATE}') AND s.retl_problem IS NULL\n"
        f"  AND s.retl_identity <> {literal(kind + ':')} || s.{column}\n"
        f"),\nkept AS (\n  {kept}\n)\n{claims}"
    )


def claimed_count(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Return how many identities are to be sent without that identifier."""
    return Statement(f"SELECT COUNT(*) FROM {dialect.passing(_table(shape, kind))}")


def omit_claimed(dialect: Dialect, shape: Shape, kind: IdentifierType) -> Statement:
    """Leave the identifier out of what is sent of these rows."""
    return Statement(
        f"UPDATE {dialect.passing(shape.staged)} SET {omits(kind)} = TRUE\n"
        f"WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM {dialect.passing(_table(shape, kind))})"
    )


def _table(shape: Shape, kind: IdentifierType) -> str:
    return f"claimed_{kind}_{shape.key}"
