"""Lists in Klaviyo of which the state knows nothing: this is the first send, or the state is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.planning.lists import ListRef
    from reverse_etl.state import RegisteredList


def describe_unknown_lists(
    refs_by_model: Mapping[str, Sequence[ListRef]], registered_lists: Iterable[RegisteredList]
) -> Iterator[str]:
    """Yield a note for each model that sends for the first time to lists that Klaviyo has already.

    Without the state of earlier runs, members who left the model are never removed; nothing else shows it.
    """
    known_ids = {entry.id for entry in registered_lists}
    for model, refs in sorted(refs_by_model.items()):
        unknown = [ref for ref in refs if ref.id and not ref.is_new and ref.id not in known_ids]
        if unknown:
            first = unknown[0]
            target = (
                f"the list {first.name!r} ({first.id})"
                if len(unknown) == 1
                else f"{format_count(len(unknown), 'list')}, such as {first.name!r} ({first.id}),"
            )
            yield (
                f"The state knows nothing of {target} to which {model} sends. If earlier runs sent to it, "
                "the state is missing: before you run, check state_path or state_schema, the name of the "
                "profile, and the path of the warehouse. Otherwise this is the first send: members that are "
                f"on the list now stay, until you run: reverse-etl adopt --select {model}"
            )
