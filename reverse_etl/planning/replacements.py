"""People whose identity changes: an add and a row that left are one person, and one change. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import KEY_PREFIX
from reverse_etl.planning.list_plan import LEFT_IN_PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.planning.list_plan import Change

REPLACE: Final = "replace"  # the operation of an add and a row that left, which are one person
_LEAVING: Final = (Op.REMOVE.value, LEFT_IN_PLACE)


def choose_sample(changes: Sequence[Change], size: int) -> list[Change]:
    """Return at most `size` changes of each operation, in their order; pairs of one person come first."""
    pairs = [*_find_pairs(changes)][:size]
    chosen = {id(change) for pair in pairs for change in pair}
    counts = dict.fromkeys((Op.ADD.value, *_LEAVING), len(pairs))
    for change in changes:
        if id(change) not in chosen and counts.get(change.op, 0) < size:
            counts[change.op] = counts.get(change.op, 0) + 1
            chosen.add(id(change))
    return [change for change in changes if id(change) in chosen]


def merge_replacements(changes: Sequence[Change]) -> list[Change]:
    """Return the changes, with an add and a row that left which share an identifier as one change, `replace`.

    It has the place of the add, the identities of both, and the identifiers that differ.
    """
    removed_by_added = {id(added): removed for added, removed in _find_pairs(changes)}
    removed_ids = {id(removed) for removed in removed_by_added.values()}
    return [
        _merge(change, removed_by_added[id(change)]) if id(change) in removed_by_added else change
        for change in changes
        if id(change) not in removed_ids
    ]


def _merge(added: Change, removed: Change) -> Change:
    names = [
        name
        for name in {**removed.identifiers, **added.identifiers}
        if removed.identifiers.get(name) != added.identifiers.get(name)
    ]
    before, after = ({name: change.identifiers.get(name) for name in names} for change in (removed, added))
    return replace(added, op=REPLACE, before=before, after=after, replaces=removed.identity)


def _find_pairs(changes: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Yield each add with the first row that left and has one of its identifiers.

    Rows with a key of their own are left out: a person may have many.
    """
    removes: dict[tuple[str, str], Change] = {}
    for change in changes:
        if change.op in _LEAVING and not change.identity.startswith(KEY_PREFIX):
            for identifier in change.identifiers.items():
                removes.setdefault(identifier, change)
    taken: set[int] = set()
    for change in changes:
        if change.op != Op.ADD or change.identity.startswith(KEY_PREFIX):
            continue
        candidates = (removes.get(identifier) for identifier in change.identifiers.items())
        removed = next(
            (candidate for candidate in candidates if candidate is not None and id(candidate) not in taken),
            None,
        )
        if removed is not None:
            taken.add(id(removed))
            yield change, removed
