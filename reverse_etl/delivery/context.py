"""The context of a run: its ports, its id and Klaviyo's time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.delivery.blocked_lists import BlockedLists
from reverse_etl.delivery.resubscriptions import Resubscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class DeliveryContext:
    """Everything that each step of a run needs.

    `klaviyo_time` is Klaviyo's time at the start, and once rows are sent, that just before the first of them.
    `job_timeout_seconds` limits how long the run waits for import jobs. `blocked_lists` have an open import
    of an earlier run: nothing is sent to them; `has_open_imports` is whether there are any.
    `resubscriptions` are shared by all models. `model_plans` are those of the run, `project_models` all
    of the project, and `unselected_models` those that suppress or unsubscribe people and are not part of the
    run.
    """

    warehouse: Warehouse
    state: State
    klaviyo: Klaviyo
    clock: Clock
    executor: ThreadPoolExecutor
    threads: int
    run_id: str
    klaviyo_time: datetime
    job_timeout_seconds: float
    on_progress: ProgressHandler
    blocked_lists: BlockedLists = field(default_factory=BlockedLists)
    has_open_imports: bool = False
    resubscriptions: Resubscriptions = field(default_factory=Resubscriptions)
    model_plans: Sequence[ModelPlan] = ()
    project_models: Sequence[ProjectModel] = ()
    unselected_models: Sequence[StagedModel] = ()
