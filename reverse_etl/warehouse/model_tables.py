"""What the statements of one model need to know of it: its tables, its key and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
from reverse_etl.warehouse.statement import Dialect, literal, quote

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column


KEY_COLUMNS = ("retl_list_id", "retl_identity")


IDENTIFIER_COLUMNS = {kind: f"retl_{kind}" for kind in IdentifierType}


FIRST_SENT = "retl_first_sent_at"


MARKS = ("retl_seq", "retl_op", "retl_in_snapshot", "retl_uncertain")  # of a delta, besides its row


def omits(kind: IdentifierType) -> str:
    """Return the column of the staged rows that says whether an identifier is left out of what is sent."""
    return f"retl_omits_{kind}"


def same_key(left: str, right: str) -> str:
    """Return the condition that rows of two tables have one key."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in KEY_COLUMNS)


@dataclass(frozen=True)
class Shape:
    """One model as its tables show it.

    `key` ends the names of its tables. `identifiers` are the mapped types in the order that decides a row's identity. `payload`
    are the other columns, with the types that they have in the warehouse today. `many_lists` says whether rows name their list.
    """

    key: str
    identifiers: tuple[IdentifierType, ...]
    payload: tuple[Column, ...]
    many_lists: bool

    @cached_property
    def payload_names(self) -> tuple[str, ...]:
        """Return the payload's column names, in the model's order."""
        return tuple(column.name for column in self.payload)

    @property
    def secondary(self) -> tuple[IdentifierType, ...]:
        """Return the mapped types that may stand beside a row's identity: the first, where a row has it, is its identity."""
        return self.identifiers[1:]

    def sent_identifiers(self, table: str) -> dict[str, str]:
        """Return, by column, what a staged row's identifiers are sent as: NULL where others have the same.

        What the model says stays in the column itself, since whoever goes by it may be that row's person all the same.
        """
        return {
            column: f"CASE WHEN {table}.{omits(kind)} THEN NULL ELSE {table}.{column} END"
            if kind in self.secondary
            else f"{table}.{column}"
            for kind, column in IDENTIFIER_COLUMNS.items()
        }

    @cached_property
    def row(self) -> tuple[str, ...]:
        """Return the columns that the snapshot, the deltas and the rejected rows have in common, in order."""
        return (*KEY_COLUMNS, *IDENTIFIER_COLUMNS.values(), FIRST_SENT, *self.payload_names)

    @property
    def staged(self) -> str:
        """Return the scratch table of the model's rows."""
        return f"staged_{self.key}"

    @property
    def lists(self) -> str:
        """Return the scratch table that gives each list's id by the name that rows use."""
        return f"lists_{self.key}"

    @property
    def changed(self) -> str:
        """Return the scratch table of what the diff found, before it is sorted."""
        return f"changed_{self.key}"

    @property
    def planned(self) -> str:
        """Return the scratch table of the plan's deltas."""
        return f"planned_{self.key}"

    @property
    def snapshot(self) -> str:
        """Return the state table of the rows last applied."""
        return f"snapshot_{self.key}"

    @property
    def deltas(self) -> str:
        """Return the state table of deltas that are not proved applied or refused."""
        return f"deltas_{self.key}"

    @property
    def taken(self) -> str:
        """Return the scratch table of the deltas that receipts prove applied."""
        return f"taken_{self.key}"

    @property
    def replaced(self) -> str:
        """Return the scratch table of the snapshot's rows that these take the place of."""
        return f"replaced_{self.key}"

    @property
    def rejected(self) -> str:
        """Return the state table of the rows that Klaviyo refused, as they were."""
        return f"rejected_{self.key}"


def rekeyed_identity(shape: Shape, table: str = "") -> str:
    """Return a kept row's identity under the model's identifiers of today; the old one where it carries none of them.

    Of several rows of a list that would become one, the first does; the others keep their old identity, and so are seen to leave.
    """
    cases = " ".join(
        f"WHEN {table}{IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {literal(kind + ':')} || {table}{IDENTIFIER_COLUMNS[kind]}"
        for kind in shape.identifiers
    )
    today = f"CASE {cases} ELSE {table}retl_identity END"
    first = f"ROW_NUMBER() OVER (PARTITION BY {table}retl_list_id, {today} ORDER BY {table}retl_identity) = 1"
    return f"CASE WHEN {first} THEN {today} ELSE {table}retl_identity END"


def same_row(shape: Shape, left: str, right: str) -> str:
    """Return the condition that rows of two tables have one list id and identity; comparing the only list's id would take time."""
    on_list = f"{left}.retl_list_id = {right}.retl_list_id AND " if shape.many_lists else ""
    return f"{on_list}{left}.retl_identity = {right}.retl_identity"


def _identifiers() -> tuple[str, ...]:
    return tuple(IDENTIFIER_COLUMNS.values())


def desired(dialect: Dialect, shape: Shape) -> str:
    """Return the query of the rows that may be sent, as they are sent, by list id and identity."""
    identifiers = ", ".join(f"{value} AS {column}" for column, value in shape.sent_identifiers("s").items())
    payload = "".join(f", s.{quote(name)}" for name in shape.payload_names)
    return (
        f"  SELECT l.retl_list_id, s.retl_identity, {identifiers}{payload}\n"
        f"  FROM {dialect.passing(shape.staged)} AS s JOIN {dialect.passing(shape.lists)} AS l ON s.retl_list = l.retl_list\n"
        f"  WHERE s.retl_problem IS NULL"
    )
