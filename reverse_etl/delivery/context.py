"""The context of a run: its ports, its id and its start time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.delivery.blocked_lists import BlockedLists

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.domain.events import EventHandler
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class DeliveryContext:
    """Everything that each step of a run needs.

    `started_at` is in Klaviyo's time: the start of the run, and once it writes, the moment before its first
    write. `job_timeout_seconds` limits how long the run waits for import jobs. `blocked_lists` have an open
    import of an earlier run: nothing is sent to them.
    """

    warehouse: Warehouse
    state: State
    klaviyo: Klaviyo
    clock: Clock
    executor: ThreadPoolExecutor
    threads: int
    run_id: str
    started_at: datetime
    job_timeout_seconds: float
    on_event: EventHandler
    blocked_lists: BlockedLists = field(default_factory=BlockedLists)
