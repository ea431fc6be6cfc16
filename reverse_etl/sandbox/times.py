"""Time as the sandbox writes it, and a clock that does not go back when the sandbox is started again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.clock import Clock


def to_iso(seconds: float | None) -> str | None:
    """Return seconds since the epoch as a date-time: ISO 8601, UTC, whole seconds (cut, not rounded)."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat()


def from_iso(text: str) -> float:
    """Return the seconds since the epoch of an ISO 8601 date-time; one without an offset is UTC.

    Raises ValueError.
    """
    timestamp = datetime.fromisoformat(text)
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class Timeline:
    """The clock's time of day, moved forward until it reads no less than what the state file already holds.

    A scaled clock runs ahead of the real time; a sandbox started again tomorrow on a fresh clock would
    otherwise meet jobs and members of the future.
    """

    clock: Clock
    offset_seconds: float = 0.0

    @classmethod
    def from_latest(cls, clock: Clock, latest: float) -> Timeline:
        """Make the timeline of a state in which nothing happened after `latest`."""
        return cls(clock, max(0.0, latest - clock.now()))

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.clock.now() + self.offset_seconds
