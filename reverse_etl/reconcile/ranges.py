"""Ranges of time, in which a list's members are read side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Range:
    """From one whole second on, and before another."""

    since: datetime
    until: datetime

    def cut(self, parts: int) -> Iterator[Range]:
        """Yield it in so many parts of about one length, in order; in fewer where it has fewer seconds."""
        seconds = int((self.until - self.since) / SECOND)
        edges = sorted({seconds * part // parts for part in range(parts + 1)})
        for first, last in pairwise(edges):
            yield Range(self.since + first * SECOND, self.since + last * SECOND)


def spread(ranges: Sequence[Range], parts: int) -> list[Range]:
    """Return ranges cut so that about `parts` can be read side by side; never fewer than there are."""
    each = max(parts // len(ranges), 1) if ranges else 1
    return [part for one in ranges for part in one.cut(each)]


def whole(moment: datetime) -> datetime:
    """Return the whole second that a moment is in."""
    return moment.replace(microsecond=0)
