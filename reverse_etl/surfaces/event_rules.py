"""The rules of a model of events: the metric, which events start flows, the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class Backfill(StrEnum):
    """Which events are backfilled: Klaviyo stores them, and no flow starts."""

    ALWAYS = "always"
    NEVER = "never"
    BEFORE_LIVE = "before_live"  # those of a time before the model's first write


@dataclass(frozen=True)
class EventRules:
    """The rules of a model's events. `metric` is '' if a column names it.

    `max_per_day` is how many events a person may have on a day.
    """

    metric: str
    backfill: Backfill
    horizon: timedelta
    max_per_day: int = 100

    def is_backfilled(self, time: datetime, live_since: datetime) -> bool:
        """Return whether an event of a time starts no flows."""
        match self.backfill:
            case Backfill.ALWAYS:
                return True
            case Backfill.NEVER:
                return False
            case Backfill.BEFORE_LIVE:
                return time < live_since

    @property
    def needs_live_since(self) -> bool:
        """Return whether events may start flows, so that it matters which were sent before."""
        return self.backfill is not Backfill.ALWAYS

    def count_backfilled(self, rows: int, before_live: int) -> int:
        """Return how many of `rows` events start no flows; `before_live` are of a time before the first."""
        match self.backfill:
            case Backfill.ALWAYS:
                return rows
            case Backfill.NEVER:
                return 0
            case Backfill.BEFORE_LIVE:
                return before_live

    def describe_flows(self, rows: int, backfilled: int, live_since: str) -> str:
        """Return which of `rows` events start flows; `live_since` says since when they do."""
        flows = f"flows that start with the metric {self.metric!r}" if self.metric else "flows that start"
        match self.backfill:
            case Backfill.ALWAYS:
                return "they start no flows (backfill)"
            case Backfill.NEVER:
                return f"{flows} start for all of them"
            case Backfill.BEFORE_LIVE if backfilled == rows:
                return f"all are from before {live_since} and start no flows (backfill)"
            case Backfill.BEFORE_LIVE:
                return (
                    f"{backfilled:,} from before {live_since} start no flows (backfill), {flows} start for "
                    f"the other {rows - backfilled:,}"
                )

    def describe_live_since(self) -> str:
        """Return what a time since when events start flows means for the events before it."""
        if self.backfill is Backfill.NEVER:
            return (
                "With backfill='never' all of them start flows: if they may have been sent before, write "
                "backfill='before_live' first."
            )
        return "Events from before that time start no flows."

    def find_cutoff(self, now: datetime, pruned_before: datetime | None) -> datetime:
        """Return the time before which no event is sent.

        Keys before `pruned_before` are forgotten: a longer horizon must not send these events again.
        """
        cutoff = now - self.horizon
        return cutoff if pruned_before is None else max(cutoff, pruned_before)
