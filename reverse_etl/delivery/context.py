"""Where a delivery takes place: the ports it speaks to, and its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """One run's surroundings.

    `started_at` is Klaviyo's time when the run began, and once it writes, just before its first write.
    `job_timeout_seconds` is how long jobs are waited for.
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
