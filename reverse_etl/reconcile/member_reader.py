"""Reading a list's members, several cursors at once.

Klaviyo gives a cursor page after page, and takes its time for each. So the time in which people joined is
cut into ranges; a thread that has read for a while hands the rest of its range back, to be cut anew where
others have come to an end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.errors import KlaviyoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.profiles import Member
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


EARLIEST_JOIN: Final = datetime(2010, 1, 1, tzinfo=UTC)  # before Klaviyo had a list


MAX_MEMBERS_PER_READ: Final = 1_000  # members that a thread reads before it hands back the rest


_JOIN_MARGIN: Final = timedelta(hours=1)  # whoever joins while the list is read


def read_members(context: DeliveryContext, list_id: str) -> Iterator[list[Member]]:
    """Yield everybody on a list, in groups and in no order. Asks only.

    Who leaves and joins again meanwhile may be among them twice. Raises KlaviyoError when Klaviyo fails.
    """
    ranges = [TimeRange(EARLIEST_JOIN, truncate_to_second(context.klaviyo.server_time) + _JOIN_MARGIN)]
    while ranges:
        remaining: list[TimeRange] = []
        read_one_range = partial(read_range, context.klaviyo, list_id)
        for members, remainder in map_concurrently(
            context, read_one_range, split_ranges(ranges, context.threads)
        ):
            remaining += [remainder] if remainder else []
            if members:
                yield members
        ranges = remaining


def read_range(
    klaviyo: Klaviyo, list_id: str, time_range: TimeRange
) -> tuple[list[Member], TimeRange | None]:
    """Return who joined in a range, and the rest of it where that is more than one should read in one go.

    A rest begins with a second of its own, however many joined in the one before.
    """
    members: list[Member] = []
    for member in klaviyo.get_members_since(list_id, time_range.since):
        if members and member.joined_at < members[-1].joined_at:
            raise KlaviyoError.of(
                "Klaviyo did not list members in the order of joining, as it was asked to.",
                where=f"list {list_id}",
                hint="This list was left as it is. Try again later.",
            )
        if member.joined_at >= time_range.until:
            break
        if (
            len(members) >= MAX_MEMBERS_PER_READ
            and truncate_to_second(member.joined_at) > members[-1].joined_at
        ):
            return members, TimeRange(truncate_to_second(member.joined_at), time_range.until)
        members.append(member)
    return members, None


ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class TimeRange:
    """From one whole second on, and before another."""

    since: datetime
    until: datetime

    def split(self, parts: int) -> Iterator[TimeRange]:
        """Yield it in so many parts of about one length, in order; in fewer where it has fewer seconds."""
        seconds = int((self.until - self.since) / ONE_SECOND)
        edges = sorted({seconds * part // parts for part in range(parts + 1)})
        for first, last in pairwise(edges):
            yield TimeRange(self.since + first * ONE_SECOND, self.since + last * ONE_SECOND)


def split_ranges(ranges: Sequence[TimeRange], parts: int) -> list[TimeRange]:
    """Return ranges cut so that about `parts` can be read side by side; never fewer than there are."""
    parts_per_range = max(parts // len(ranges), 1) if ranges else 1
    return [piece for time_range in ranges for piece in time_range.split(parts_per_range)]


def truncate_to_second(timestamp: datetime) -> datetime:
    """Return the whole second that a moment is in."""
    return timestamp.replace(microsecond=0)
