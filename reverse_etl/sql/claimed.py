"""Statements of claimed identifiers: a row's secondary identifier that another desired row has at Klaviyo.

A desired NULL is no change, so the snapshot still gives the identifier to the other row, and so does Klaviyo. Sent with it, the new
row would be taken for the other one's profile and overwrite it. It is sent without, as if both rows carried the identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.sql.diff import Op, rekeyed_identity, same_row
from reverse_etl.sql.shape import IDENTIFIER_COLUMNS, Shape, omits
from reverse_etl.sql.text import Dialect, Statement, literal

if TYPE_CHECKING:
    from reverse_etl.identifiers import IdentifierType


def claimed(dialect: Dialect, shape: Shape, kind: IdentifierType, *, rekeyed: bool) -> Statement:
    """Find the planned upserts whose secondary identifier a kept row has that is desired under another identity.

    A row of a list that the model drives no more claims nothing: what Klaviyo has may have changed since. With `rekeyed`, kept
    rows go by today's identifiers.
    """
    column, staged = IDENTIFIER_COLUMNS[kind], dialect.passing(shape.staged)
    sent = shape.sent_identifiers("s")[column]
    identity = rekeyed_identity(shape) if rekeyed else "retl_identity"
    driven = f"SELECT retl_list_id FROM {dialect.passing(shape.lists)}"
    kept = " UNION ALL ".join(
        f"SELECT {identity} AS retl_identity, {column} FROM {dialect.kept(table)} "
        f"WHERE {column} IS NOT NULL AND retl_list_id IN ({driven})"
        for table in (shape.snapshot, shape.deltas)
    )
    return Statement(
        f"{dialect.recreate_passing(_table(shape, kind))} AS\n"
        f"SELECT DISTINCT s.retl_identity FROM {dialect.passing(shape.planned)} AS p\n"
        f"JOIN (\n"
        f"  SELECT l.retl_list_id, s.retl_identity, {sent} AS {column} FROM {staged} AS s "
        f"JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"  WHERE s.retl_problem IS NULL AND s.retl_identity <> {literal(kind + ':')} || s.{column}\n"
        f") AS s ON {same_row(shape, 's', 'p')}\n"
        f"JOIN ({kept}) AS k ON k.{column} = s.{column} AND k.retl_identity <> s.retl_identity\n"
        f"WHERE p.retl_op IN ('{Op.ADD}', '{Op.UPDATE}') AND k.retl_identity IN (SELECT retl_identity FROM {staged})"
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
