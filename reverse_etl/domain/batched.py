"""Split items into groups of a given size."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield groups of `size` items in their order; the last may be shorter.

    As `itertools.batched`, which Python has since 3.12.
    """
    rest = iter(items)
    while group := tuple(islice(rest, size)):
        yield group
