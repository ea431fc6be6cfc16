"""One list's delivery under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.at import At
    from reverse_etl.delivery.deltas import Deltas
    from reverse_etl.delivery.recorder import Recorder
    from reverse_etl.delivery.tally import Tally
    from reverse_etl.plan import ListPlan, ModelPlan
    from reverse_etl.receipts import Receipt, Refusal


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
