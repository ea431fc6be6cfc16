"""The delivery of one list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.progress import JobProgress, RemoveProgress, SendProgress
from reverse_etl.domain.receipts import RowExceptionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.outcomes import OutcomeCounter
    from reverse_etl.delivery.pending_rows import PendingRows
    from reverse_etl.delivery.receipt_buffer import ReceiptBuffer
    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state.omissions import Omission
    from reverse_etl.surfaces.interface import Surface


@dataclass(frozen=True)
class ListDelivery:
    """The delivery of one list: its plan, and the outcomes so far."""

    context: DeliveryContext
    model_plan: ModelPlan
    list_plan: ListPlan
    pending_rows: PendingRows
    receipt_buffer: ReceiptBuffer
    counter: OutcomeCounter

    @property
    def model_name(self) -> str:
        """Return the name of the model that the list is of."""
        return self.model_plan.model.name

    @property
    def surface(self) -> Surface:
        """Return the surface of the model."""
        return self.model_plan.model.config.surface

    @property
    def list_id(self) -> str:
        """Return the list's id, '' for a model without a list."""
        return self.list_plan.list_ref.id

    @property
    def list_name(self) -> str:
        """Return the list's name, '' for a model without a list."""
        return self.list_plan.list_ref.name

    @property
    def payload(self) -> list[tuple[str, Column]]:
        """Return the columns that are sent, each with the name under which it reaches Klaviyo."""
        names = self.model_plan.model.names_by_column
        return [(names[column.name.lower()], column) for column in self.model_plan.tables.payload]

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
        self.refused_rows.extend(row for row in row_exceptions if row.kind is RowExceptionKind.REJECTED)

    def report_progress(self, op: Op, rows: int) -> None:
        """Report how many of the rows to send are done, or of the leaving ones."""
        names, plan = (self.model_name, self.list_name), self.list_plan
        self.context.on_progress(
            RemoveProgress(*names, rows, plan.leaving)
            if op is Op.REMOVE
            else SendProgress(*names, rows, plan.upserts)
        )

    def report_open_jobs(self, jobs: int) -> None:
        """Report how many of the list's jobs have not ended."""
        self.context.on_progress(JobProgress(self.model_name, self.list_name, jobs))
