"""Where a delivery takes place: the ports it speaks to, its run, and the list it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.delivery.deltas import Deltas
    from reverse_etl.delivery.recorder import Recorder
    from reverse_etl.delivery.tally import Tally
    from reverse_etl.events import Tell
    from reverse_etl.klaviyo.klaviyo import Klaviyo
    from reverse_etl.plan import ListPlan, ModelPlan
    from reverse_etl.receipts import Receipt, Refusal
    from reverse_etl.state import State
    from reverse_etl.warehouse import Warehouse


@dataclass(frozen=True)
class At:
    """One run's surroundings.

    `begun` is Klaviyo's time when the run began, and once it writes, just before its first write.
    `job_seconds` is how long jobs are waited for.
    """

    warehouse: Warehouse
    state: State
    klaviyo: Klaviyo
    clock: Clock
    executor: ThreadPoolExecutor
    threads: int
    run_id: str
    begun: datetime
    job_seconds: float
    tell: Tell


@dataclass(frozen=True)
class Delivery:
    """One list's delivery: what is planned for it, and what has come of it so far."""

    at: At
    plan: ModelPlan
    one: ListPlan
    deltas: Deltas
    recorder: Recorder
    tally: Tally

    def note(self, receipts: Sequence[Receipt], refusals: Sequence[Refusal] = ()) -> None:
        """Record and count what came of some rows."""
        self.recorder.add(receipts, refusals)
        self.tally.count(receipts, refusals)
