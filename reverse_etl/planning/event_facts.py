"""The facts of a plan about the events of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class EventPlan:
    """A plan's facts about a model's events.

    Nothing from before `cutoff` is sent: `old_rows` of the model's rows. `backfilled` counts the events to be
    sent that start no flows, and `oldest` is the time of the oldest. `live_since` is the time from which
    on events start flows, if they are backfilled before; None is the start of the run. `busy_days` counts the
    people and days with more events than `EventRules.max_per_day`, and `most_per_day` is the most of them.
    `hold_reason` is why nothing may be sent, '' if nothing is in the way, and `hold_hint` what to do then.
    """

    cutoff: datetime
    old_rows: int
    backfilled: int = 0
    oldest: datetime | None = None
    live_since: datetime | None = None
    busy_days: int = 0
    most_per_day: int = 0
    hold_reason: str = ""
    hold_hint: str = ""
