"""Reading a list's members, several cursors at once.

Klaviyo gives a cursor page after page, and takes its time for each. So the time in which people joined is
cut into ranges; a thread that has read for a while hands the rest of its range back, to be cut anew where
others have come to an end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import in_flight
from reverse_etl.errors import KlaviyoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.context import At
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.profiles import Member
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


BEGINNING: Final = datetime(2010, 1, 1, tzinfo=UTC)  # before Klaviyo had a list


MOST_READ: Final = 1_000  # members that a thread reads before it hands back the rest


_LATER: Final = timedelta(hours=1)  # whoever joins while the list is read


def read(at: At, list_id: str) -> Iterator[list[Member]]:
    """Yield everybody on a list, in groups and in no order. Asks only.

    Who leaves and joins again meanwhile may be among them twice. Raises KlaviyoError when Klaviyo fails.
    """
    ranges = [Range(BEGINNING, whole(at.klaviyo.server_time) + _LATER)]
    while ranges:
        left: list[Range] = []
        work = partial(read_part, at.klaviyo, list_id)
        for members, rest in in_flight(at, work, spread(ranges, at.threads)):
            left += [rest] if rest else []
            if members:
                yield members
        ranges = left


def read_part(klaviyo: Klaviyo, list_id: str, part: Range) -> tuple[list[Member], Range | None]:
    """Return who joined in a range, and the rest of it where that is more than one should read in one go.

    A rest begins with a second of its own, however many joined in the one before.
    """
    members: list[Member] = []
    for member in klaviyo.members_since(list_id, part.since):
        if members and member.joined_at < members[-1].joined_at:
            raise KlaviyoError.of(
                "Klaviyo did not list members in the order of joining, as it was asked to.",
                where=f"list {list_id}",
                advice="This list was left as it is. Try again later.",
            )
        if member.joined_at >= part.until:
            break
        if len(members) >= MOST_READ and whole(member.joined_at) > members[-1].joined_at:
            return members, Range(whole(member.joined_at), part.until)
        members.append(member)
    return members, None


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
