"""The delivery of one list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.domain.receipts import RowExceptionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.outcomes import OutcomeCounter
    from reverse_etl.delivery.pending_rows import PendingRows
    from reverse_etl.delivery.receipt_buffer import ReceiptBuffer
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.planning.plan import ListPlan, ModelPlan
    from reverse_etl.state.omissions import Omission


@dataclass(frozen=True)
class ListDelivery:
    """The delivery of one list: its plan, and the outcomes so far."""

    context: DeliveryContext
    model_plan: ModelPlan
    list_plan: ListPlan
    pending_rows: PendingRows
    receipt_buffer: ReceiptBuffer
    counter: OutcomeCounter

    @cached_property
    def refusals(self) -> ListRefusals:
        """Return what is known of the list's refusals in this run."""
        return ListRefusals(has_applied_rows=self.list_plan.unchanged > 0)

    @cached_property
    def omissions(self) -> list[Omission]:
        """Return the identifiers that Klaviyo refused, of rows that are to be sent without them."""
        return []

    @cached_property
    def refused_rows(self) -> list[RowException]:
        """Return the rows that Klaviyo refused, and that are rejected so far."""
        return []

    def record(self, receipts: Sequence[Receipt], row_exceptions: Sequence[RowException] = ()) -> None:
        """Record and count the outcomes of some rows."""
        self.receipt_buffer.add(receipts, row_exceptions)
        self.counter.count_receipts(receipts, row_exceptions)
        self.refused_rows.extend(one for one in row_exceptions if one.kind is RowExceptionKind.REJECTED)
