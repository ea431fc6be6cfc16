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
    """The rules of a model's events. `metric` is '' if a column names it."""

    metric: str
    backfill: Backfill
    horizon: timedelta

    def is_backfilled(self, time: datetime, live_since: datetime) -> bool:
        """Return whether an event of a time starts no flows."""
        match self.backfill:
            case Backfill.ALWAYS:
                return True
            case Backfill.NEVER:
                return False
            case Backfill.BEFORE_LIVE:
                return time < live_since

    def find_cutoff(self, now: datetime, pruned_before: datetime | None) -> datetime:
        """Return the time before which no event is sent.

        Keys before `pruned_before` are forgotten: a longer horizon must not send these events again.
        """
        cutoff = now - self.horizon
        return cutoff if pruned_before is None else max(cutoff, pruned_before)
