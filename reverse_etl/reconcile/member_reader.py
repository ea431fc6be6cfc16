"""Reads the members of a list with several cursors in parallel.

Klaviyo returns the pages of a cursor one after another, and each takes a while. So the reader splits the time
in which members joined into ranges, one per thread. A thread stops after MAX_MEMBERS_PER_READ members and
returns the rest of its range, which is split again among all threads.
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


EARLIEST_JOIN: Final = datetime(2010, 1, 1, tzinfo=UTC)  # before Klaviyo existed


MAX_MEMBERS_PER_READ: Final = 1_000  # members that a thread reads before it returns the rest of its range


_JOIN_MARGIN: Final = timedelta(hours=1)  # includes members who join while the list is read


def read_members(context: DeliveryContext, list_id: str) -> Iterator[list[Member]]:
    """Yield all members of a list, in groups and in no order. Sends only GETs.

    A member who leaves and rejoins during the read may appear twice. Raises KlaviyoError.
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
    """Return the members who joined in a range, and the rest of the range if it holds too many members.

    The rest starts at a whole second, so that the members of one second are never split.
    """
    members: list[Member] = []
    for member in klaviyo.get_members_since(list_id, time_range.since):
        if members and member.joined_at < members[-1].joined_at:
            raise KlaviyoError.of(
                "Klaviyo did not return the list's members in the requested order (by time of joining).",
                where=f"list {list_id}",
                hint="Nothing was changed. Try again later.",
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
    """A half-open range of whole seconds: `since` is included, `until` is not."""

    since: datetime
    until: datetime

    def split(self, parts: int) -> Iterator[TimeRange]:
        """Yield `parts` ranges of about equal length, in order; fewer if the range has fewer seconds."""
        seconds = int((self.until - self.since) / ONE_SECOND)
        edges = sorted({seconds * part // parts for part in range(parts + 1)})
        for first, last in pairwise(edges):
            yield TimeRange(self.since + first * ONE_SECOND, self.since + last * ONE_SECOND)


def split_ranges(ranges: Sequence[TimeRange], parts: int) -> list[TimeRange]:
    """Return about `parts` ranges that cover the given ones; never fewer than were given."""
    parts_per_range = max(parts // len(ranges), 1) if ranges else 1
    return [piece for time_range in ranges for piece in time_range.split(parts_per_range)]


def truncate_to_second(timestamp: datetime) -> datetime:
    """Return the timestamp without its fraction of a second."""
    return timestamp.replace(microsecond=0)
