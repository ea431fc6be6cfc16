"""One list's delivery under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.delivery.outcomes import Tally
    from reverse_etl.delivery.pending_rows import Deltas
    from reverse_etl.delivery.receipt_buffer import Recorder
    from reverse_etl.domain.receipts import Receipt, Refusal
    from reverse_etl.planning.plan import ListPlan, ModelPlan


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
