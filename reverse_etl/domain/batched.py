"""Split items into groups of a given size, or in half."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield groups of `size` items in their order; the last may be shorter.

    As `itertools.batched`, which Python has since 3.12.
    """
    rest = iter(items)
    while group := tuple(islice(rest, size)):
        yield group


def split_in_half(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """Return the two halves of items, in order; the first may be shorter by one."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
