"""Keeps the members of models without ids, when a model with ids gives their profiles another address.

Rows of such a model are known by their address. Once the profile has another one, nothing tells from the
row who its member is. So the row is kept under the id of the profile instead, before the address changes.
No desired row is known by a profile id. The diff therefore takes the address, if it is still desired, for a
new row, and the row of the profile id for one to remove; whether its profile is removed is decided from what
Klaviyo shows, as for every other row. Nothing of it is kept in memory, so that a run may be killed at any
statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import KEY_TYPE, UNIQUE_IDENTIFIERS, IdentifierType
from reverse_etl.state.sql import address_changes as sql
from reverse_etl.state.tables import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.store import State


@dataclass(frozen=True)
class AddressChange:
    """The identity of a profile in models without ids, which it is about to lose, and the profile's id."""

    identity: str
    profile_id: str


def is_known_by_address(record: ModelRecord) -> bool:
    """Return whether a model's rows have an e-mail or a phone, and no id, to say who the person is."""
    return not any(kind in {*UNIQUE_IDENTIFIERS, KEY_TYPE} for kind, _ in record.identifiers)


def keep_members(
    state: State, record: ModelRecord, run_id: str, changes: Iterable[AddressChange], *, has_members: bool
) -> int:
    """Keep a model's rows of these identities by profile id, before the profiles get another address.

    Return the number of identities that a later run sends again, if they are still desired. Without members
    the rows are forgotten, since nothing is removed. May be repeated.
    """
    tables = state.models.load_tables(record)
    if tables is None:
        return 0
    waiting = 0
    for part in batched(_to_rows(changes), ROWS_PER_STATEMENT):
        known: dict[str, int] = {}
        for identity, stays in state.tables.fetch(sql.select_changed(tables, run_id, part)):
            known[identity] = max(known.get(identity, 0), int(stays))
        waiting += sum(known.values())
        if rows := [row for row in part if row[0] in known]:
            state.snapshot_matches.mark_changed(record.name)
            state.tables.commit(
                sql.name_members(tables, run_id, rows) if has_members else [sql.forget_rows(tables, rows)]
            )
    return waiting


def _to_rows(changes: Iterable[AddressChange]) -> Iterator[tuple[str, str, str]]:
    """Yield each identity once, with the profile's id and the identity that this makes."""
    for identity, profile_id in {change.identity: change.profile_id for change in changes}.items():
        yield identity, profile_id, f"{IdentifierType.PROFILE_ID}:{profile_id}"
