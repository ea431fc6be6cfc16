"""Lists with members in Klaviyo of which the state knows nothing: a first send, or the state is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import UnusableReply
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.state import RegisteredList

_MAX_LOOKUPS: Final = 20  # each takes a request; a model may send to hundreds of lists


def describe_unknown_lists(
    klaviyo: Klaviyo,
    refs_by_model: Mapping[str, Sequence[ListRef]],
    registered_lists: Iterable[RegisteredList],
) -> Iterator[str]:
    """Yield a note for each model that sends for the first time to lists that have members already.

    Without the state of earlier runs, members who left the model are never removed; nothing else shows it.
    """
    known_ids = {entry.id for entry in registered_lists}
    for model, refs in sorted(refs_by_model.items()):
        new_to_state = [ref for ref in refs if ref.id and not ref.is_new and ref.id not in known_ids]
        unknown = _select_lists_with_members(klaviyo, new_to_state)
        if unknown:
            yield _describe(model, unknown)


def _describe(model: str, unknown: Sequence[ListRef]) -> str:
    first = f"{unknown[0].name!r} ({unknown[0].id})"
    target = (
        f"the list {first}, which has members and"
        if len(unknown) == 1
        else f"{format_count(len(unknown), 'list')} with members, such as {first},"
    )
    return (
        f"The state knows nothing of {target} to which {model} sends. If earlier runs sent to it, the state "
        "is missing: before you run, check state_path or state_schema, the name of the profile, and the path "
        "of the warehouse (reverse-etl state move). Otherwise this is the first send: members that are on "
        f"the list now stay, until you run: reverse-etl adopt --select {model}"
    )


def _select_lists_with_members(klaviyo: Klaviyo, refs: Sequence[ListRef]) -> list[ListRef]:
    """Return the lists that have members; beyond the first few, all of them if any of those has."""
    with_members = [ref for ref in refs[:_MAX_LOOKUPS] if _may_have_members(klaviyo, ref.id)]
    return [*with_members, *(refs[_MAX_LOOKUPS:] if with_members else ())]


def _may_have_members(klaviyo: Klaviyo, list_id: str) -> bool:
    try:
        return klaviyo.has_members(list_id)
    except UnusableReply:
        return True  # it is not known to be empty
