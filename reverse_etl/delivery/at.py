"""Where a delivery takes place: the ports it speaks to, its run, and the list it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.delivery.deltas import Deltas
    from reverse_etl.delivery.tally import Tally
    from reverse_etl.events import Tell
    from reverse_etl.klaviyo.klaviyo import Klaviyo
    from reverse_etl.plan import ListPlan, ModelPlan
    from reverse_etl.receipts import Receipt, Refusal
    from reverse_etl.state import State
    from reverse_etl.warehouse import Warehouse

FLUSH_SECONDS = 2.0
FLUSH_RECEIPTS = 50


@dataclass(frozen=True)
class At:
    """One run's surroundings.

    `begun` is Klaviyo's time before the run's first write. `job_seconds` is how long jobs are waited for.
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


@dataclass
class Recorder:
    """Gathers receipts and refusals of one model, and keeps them in groups.

    A dead run loses at most the last group.
    """

    at: At
    model: str
    _receipts: list[Receipt] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)
    _gone: list[tuple[str, str]] = field(default_factory=list)
    _flushed: float = float("-inf")

    def add(
        self,
        receipts: Sequence[Receipt],
        refusals: Sequence[Refusal] = (),
        gone: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Take receipts, and keep the group when it is large or old enough.

        `gone` are the (list id, identity) of leaving rows for whom nobody was found.
        """
        self._receipts += receipts
        self._refusals += refusals
        self._gone += gone
        old = self.at.clock.monotonic() - self._flushed > FLUSH_SECONDS
        if old or len(self._receipts) >= FLUSH_RECEIPTS:
            self.flush()

    def flush(self) -> None:
        """Keep what was gathered, once: who is interrupted in here does not know whether it was committed."""
        receipts, refusals, gone = self._receipts, self._refusals, self._gone
        self._receipts, self._refusals, self._gone = [], [], []
        self.at.state.record(self.at.run_id, self.model, receipts, refusals, gone)
        self._flushed = self.at.clock.monotonic()


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
