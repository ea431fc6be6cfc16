"""The options of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class PlanOptions:
    """The options of a plan.

    `full_refresh` sends every row again; `limit` sends only the first `limit` upserts of each model; `rekey`
    names the models whose identifiers may change. `sample_size` is the number of sample changes per list and
    operation. `forecast_people` is how many people are looked up to forecast how many profiles the adds would
    create, None for no forecast. `with_digest` adds a digest of the rows and values to each model's plan.
    `allow` names the models that may pass a guard. `live_since` is the time from which on events start flows,
    which the selected models of events keep. `full_comparison` reads every model and compares every row,
    whatever `skip_unchanged` and `updated_at` say, and stages the values also of rows that are unchanged.
    """

    full_refresh: bool = False
    limit: int | None = None
    rekey: frozenset[str] = frozenset()
    sample_size: int = 0
    forecast_people: int | None = None
    with_digest: bool = False
    allow: Allowances = field(default_factory=Allowances)
    live_since: datetime | None = None
    full_comparison: bool = False
