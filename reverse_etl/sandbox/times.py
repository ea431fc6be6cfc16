"""The timestamp format of the sandbox, and a clock that does not go back when a sandbox is restarted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.clock import Clock


def to_iso(seconds: float | None) -> str | None:
    """Return seconds since the epoch as a date-time: ISO 8601, UTC, whole seconds (cut, not rounded)."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat()


def to_iso_precise(seconds: float) -> str:
    """Return seconds since the epoch as a date-time with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def from_iso(text: str) -> float:
    """Return the seconds since the epoch of an ISO 8601 date-time; one without an offset is UTC.

    Raises ValueError.
    """
    timestamp = datetime.fromisoformat(text)
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class Timeline:
    """The clock's time of day, moved forward to be no earlier than the newest time in the state file.

    A scaled clock runs ahead of real time. Without this class, a sandbox that is restarted with a new clock
    would contain jobs and members from the future.
    """

    clock: Clock
    offset_seconds: float = 0.0

    @classmethod
    def from_latest(cls, clock: Clock, latest: float) -> Timeline:
        """Create the timeline of a state whose newest time is `latest`."""
        return cls(clock, max(0.0, latest - clock.now()))

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.clock.now() + self.offset_seconds
