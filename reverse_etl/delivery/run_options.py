"""The options of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.delivery.failed_runs import RunAttempt

if TYPE_CHECKING:
    from reverse_etl.dbt.findings import GateOptions
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.messages import RequestHook
    from reverse_etl.planning.saved_plan import SavedPlan


@dataclass(frozen=True)
class RunOptions:
    """The options of a run, apart from those of its plan.

    `lease_timeout` is how many seconds the run waits while another run holds the lease. `attempt` is the
    run itself.
    """

    strict: bool
    gate: GateOptions
    on_progress: ProgressHandler
    on_request: RequestHook | None
    saved_plan: SavedPlan | None = None
    lease_timeout: float = 0.0
    attempt: RunAttempt = field(default_factory=lambda: RunAttempt("", ""))
