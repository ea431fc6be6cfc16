"""The members that a list should have, computed from the model's rows without the job's own SQL."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.identifiers import IdentifierType, canonicalize, split_identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.core.world import World

Kinds = dict[IdentifierType, str]  # identifier types and their columns, in order

FIELDS = {
    IdentifierType.EMAIL: "email",
    IdentifierType.PHONE: "phone_number",
    IdentifierType.EXTERNAL_ID: "external_id",
    IdentifierType.PROFILE_ID: "id",
}


def identity(row: Mapping[str, Any], kinds: Kinds) -> str | None:
    """Return the identity of a row: its first identifier that is not blank."""
    for kind, column in kinds.items():
        if value := canonicalize(kind, row.get(column)):
            return f"{kind}:{value}"
    return None


def identities(rows: Sequence[Mapping[str, Any]], kinds: Kinds, list_name: str | None = None) -> set[str]:
    """Return the identities that rows give a list."""
    mine = (row for row in rows if list_name is None or (row.get("club") or "").strip() == list_name)
    return {row_identity for row in mine if (row_identity := identity(row, kinds)) is not None}


def rejected(world: World, model: str, list_id: str) -> set[str]:
    """Return the identities whose rows are rejected."""
    where = f"model = '{model}' AND list_id = '{list_id}'"
    keys = world.state(f"SELECT row_key FROM rejections WHERE {where}")
    return {key for (key,) in keys if not key.startswith("row:")}


def is_of(member: Mapping[str, Any], wanted: str) -> bool:
    """Return whether a profile goes by an identity."""
    kind, value = split_identity(wanted)
    return canonicalize(kind, member[FIELDS[kind]]) == value


def check_list(
    members: Sequence[Mapping[str, Any]], wanted: set[str], may_be: set[str], not_ours: set[str]
) -> None:
    """Check that each desired identity is a member once, and that nobody else is.

    Identities in `may_be` (rejected rows) need not be members; those in `not_ours` were added by others.
    """
    member_counts = Counter(person for member in members for person in wanted if is_of(member, person))
    missing = {person for person in wanted if not member_counts[person]}
    assert not missing, f"wanted and not on the list: {missing}"
    others = [
        member
        for member in members
        if member["id"] not in not_ours and not any(is_of(member, person) for person in wanted | may_be)
    ]
    assert not others, f"on the list and not wanted: {others}"
