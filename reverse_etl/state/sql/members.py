"""Statements of a list's members, as they were read, beside the rows that were applied to it.

A row's person is on the list where a member has its identity, its e-mail or an id of it. Who has only its phone may be somebody else,
and is neither that row's person nor a stranger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import PERSONAL, IdentifierType
from reverse_etl.state.sql.pending import insert_doubt
from reverse_etl.warehouse.model_tables import FIRST_SENT, IDENTIFIER_COLUMNS, KEY_COLUMNS, Shape, same_key
from reverse_etl.warehouse.statement import Dialect, Statement, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS_A_STATEMENT = 1_000
_PROFILE = IDENTIFIER_COLUMNS[IdentifierType.PROFILE_ID]
_COLUMNS = (*IDENTIFIER_COLUMNS.values(), "retl_joined_at", "retl_joined_late")


def make(dialect: Dialect, shape: Shape) -> Statement:
    """Make the scratch table of a list's members, empty: identifiers, when they joined, and that with a minute's grace."""
    columns = ", ".join(f"{name} VARCHAR" for name in _COLUMNS)
    return Statement.create(
        dialect.passing(_members(shape)), f"{dialect.recreate_passing(_members(shape))} ({columns})"
    )


def add(dialect: Dialect, shape: Shape, rows: Sequence[tuple[str | None, ...]]) -> tuple[Statement, ...]:
    """Put members into it, each with the columns of `make`: a statement for every thousand."""
    parts = [rows[start : start + ROWS_A_STATEMENT] for start in range(0, len(rows), ROWS_A_STATEMENT)]
    marks = f"({', '.join('?' for _ in _COLUMNS)})"
    return tuple(
        Statement.insert(
            dialect.passing(_members(shape)),
            f"INSERT INTO {dialect.passing(_members(shape))} VALUES {', '.join([marks] * len(part))}",
            tuple(value for row in part for value in row),
        )
        for part in parts
    )


def compare(dialect: Dialect, shape: Shape, list_id: str) -> tuple[Statement, ...]:
    """Find out which rows have their person on the list (`met`), which do not (`missing`), and who is of no row (`others`).

    A row that is uncertain is not missing: whether it was applied is not known.
    """
    of_list = f"retl_list_id = {dialect.literal(list_id)}"
    rows = "\n  UNION ".join(
        f"SELECT retl_identity, {', '.join(IDENTIFIER_COLUMNS.values())} FROM {dialect.kept(table)} WHERE {of_list}"
        for table in (shape.snapshot, shape.deltas)
    )
    by_phone = f"r.retl_identity = {literal(IdentifierType.PHONE + ':')} || r.{IDENTIFIER_COLUMNS[IdentifierType.PHONE]}"
    meetings = "\n  UNION ".join(
        f"SELECT r.retl_identity, m.{_PROFILE}, m.retl_joined_at, m.retl_joined_late, "
        f"{'TRUE' if kind in PERSONAL else by_phone} AS retl_sure\n"
        f"  FROM rows_sent AS r JOIN {dialect.passing(_members(shape))} AS m ON r.{column} = m.{column}"
        for kind, column in IDENTIFIER_COLUMNS.items()
    )
    identity = " ".join(
        f"WHEN m.{IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {literal(kind + ':')} || m.{IDENTIFIER_COLUMNS[kind]}"
        for kind in shape.identifiers
    )
    named = f"CASE {identity} ELSE {literal(IdentifierType.PROFILE_ID + ':')} || m.{_PROFILE} END"
    met, deltas = dialect.passing(_met(shape)), dialect.kept(shape.deltas)
    return (
        Statement.create(
            dialect.passing(_met(shape)),
            f"{dialect.recreate_passing(_met(shape))} AS\nWITH rows_sent AS (\n  {rows}\n)\n  {meetings}",
        ),
        Statement.create(
            dialect.passing(_missing(shape)),
            f"{dialect.recreate_passing(_missing(shape))} AS\n"
            f"SELECT s.retl_list_id, s.retl_identity FROM {dialect.kept(shape.snapshot)} AS s WHERE s.{of_list}\n"
            f"AND NOT EXISTS (SELECT 1 FROM {met} AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)\n"
            f"AND NOT EXISTS (SELECT 1 FROM {deltas} AS d WHERE {same_key('d', 's')})",
        ),
        Statement.create(
            dialect.passing(_others(shape)),
            f"{dialect.recreate_passing(_others(shape))} AS\n"
            f"SELECT {dialect.text(named)} AS retl_identity, m.* FROM {dialect.passing(_members(shape))} AS m\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {met} AS t WHERE t.{_PROFILE} = m.{_PROFILE})\n"
            f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {named} ORDER BY m.retl_joined_at, m.{_PROFILE}) = 1",
        ),
    )


def counts(dialect: Dialect, shape: Shape, list_id: str) -> Statement:
    """Return one row: rows applied, rows uncertain, members, rows missing, members of no row, rows whose person was there before."""
    met = dialect.passing(_met(shape))
    before = f"t.retl_sure AND t.retl_identity = s.retl_identity AND t.retl_joined_late < s.{FIRST_SENT}"
    counted = (
        f"FROM {dialect.kept(shape.snapshot)} WHERE retl_list_id = ?",
        f"FROM {dialect.kept(shape.deltas)} WHERE retl_list_id = ?",
        f"FROM (SELECT DISTINCT {_PROFILE} FROM {dialect.passing(_members(shape))}) AS m",
        f"FROM {dialect.passing(_missing(shape))}",
        f"FROM {dialect.passing(_others(shape))}",
        f"FROM {dialect.kept(shape.snapshot)} AS s WHERE s.retl_list_id = ? AND EXISTS (SELECT 1 FROM {met} AS t WHERE {before})",
    )
    return Statement.read(
        "SELECT " + ",\n  ".join(f"(SELECT COUNT(*) {rows})" for rows in counted), (list_id, list_id, list_id)
    )


def missing_sample(dialect: Dialect, shape: Shape, size: int) -> Statement:
    """Return (identity) of the first rows that are missing."""
    return Statement.read(
        f"SELECT retl_identity FROM {dialect.passing(_missing(shape))} ORDER BY retl_identity LIMIT {size}"
    )


def others_sample(dialect: Dialect, shape: Shape, size: int) -> Statement:
    """Return (identity) of the first members that are of no row."""
    return Statement.read(
        f"SELECT retl_identity FROM {dialect.passing(_others(shape))} ORDER BY retl_identity LIMIT {size}"
    )


def given_up(dialect: Dialect, shape: Shape, whose: tuple[str, str, str, str]) -> Statement:
    """Return (identity) of the removals that found nobody, of an account, project, model and list, whose person is on it now."""
    matches = "\nUNION ".join(
        f"SELECT g.identity FROM gave_up AS g JOIN {dialect.passing(_others(shape))} AS o "
        f"ON g.identity = {literal(kind + ':')} || o.{column}"
        for kind, column in IDENTIFIER_COLUMNS.items()
    )
    return Statement.read(
        f"WITH gave_up AS (\n  SELECT identity FROM {dialect.kept('gone')} "
        f"WHERE account_id = ? AND project = ? AND model = ? AND list_id = ?\n)\n{matches}\nORDER BY 1",
        whose,
    )


def doubt_missing(dialect: Dialect, shape: Shape) -> Statement:
    """Make the rows uncertain that are missing: the next run sends those again that are still desired."""
    missing = f"SELECT 1 FROM {dialect.passing(_missing(shape))} AS m WHERE {same_key('m', 's')}"
    return Statement.insert(dialect.kept(shape.deltas), insert_doubt(dialect, shape, f"EXISTS ({missing})"))


def adopt(dialect: Dialect, shape: Shape, list_id: str) -> tuple[Statement, ...]:
    """Let whoever is on the list count as put there by this job. To be run in one transaction, after `compare`.

    Rows whose person was there before count as first sent when they joined. Whoever is of no row becomes one, with no value that Klaviyo
    was given.
    """
    joined = (
        f"SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM {dialect.passing(_met(shape))} "
        f"WHERE retl_sure GROUP BY retl_identity"
    )
    columns = ", ".join((*KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT))
    values = ", ".join(f"o.{name}" for name in (*IDENTIFIER_COLUMNS.values(), "retl_joined_at"))
    snapshot, others = dialect.kept(shape.snapshot), dialect.passing(_others(shape))
    return (
        *(
            Statement.change(
                dialect.kept(table),
                f"UPDATE {dialect.kept(table)} AS t SET {FIRST_SENT} = LEAST(t.{FIRST_SENT}, h.retl_since)\n"
                f"FROM (\n  {joined}\n) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity",
                (list_id,),
            )
            for table in (shape.snapshot, shape.deltas)
        ),
        Statement.insert(
            snapshot,
            f"INSERT INTO {snapshot} ({columns})\nSELECT ?, o.retl_identity, {values} FROM {others} AS o\n"
            f"WHERE NOT EXISTS (SELECT 1 FROM {snapshot} AS s WHERE s.retl_list_id = ? AND s.retl_identity = o.retl_identity)",
            (list_id, list_id),
        ),
    )


def scratch(shape: Shape) -> tuple[str, ...]:
    """Return the names of the scratch tables of a list's members."""
    return (_members(shape), _met(shape), _missing(shape), _others(shape))


def _members(shape: Shape) -> str:
    return f"members_{shape.key}"


def _met(shape: Shape) -> str:
    return f"met_{shape.key}"


def _missing(shape: Shape) -> str:
    return f"missing_{shape.key}"


def _others(shape: Shape) -> str:
    return f"others_{shape.key}"
