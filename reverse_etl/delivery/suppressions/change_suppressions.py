"""Suppress or unsuppress the e-mails of a model's rows, and record what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.outcomes import UNPROVED_STATES, Outcome
from reverse_etl.delivery.row_exceptions import make_row_exception, read_row_error
from reverse_etl.delivery.suppressions.suppression_group import (
    EmailResult,
    EmailRow,
    GroupResult,
    GroupSender,
    split_spans,
)
from reverse_etl.delivery.suppressions.suppression_ownership import OwnershipRecorder
from reverse_etl.delivery.suppressions.suppression_read_back import SuppressionReadBack
from reverse_etl.delivery.suppressions.suppression_rules import Rule, SuppressRule, UnsuppressRule
from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import split_identity
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowExceptionKind
from reverse_etl.state.people import find_suppressing_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import ChangeSuppressions

_READ_REMOVES: Final = 1_000  # at a time, with what the state knows of their suppressions
_MAX_OPEN: Final = 100_000  # rows that wait for a read-back; more are read back in between


def change_suppressions(delivery: ListDelivery, operation: ChangeSuppressions) -> None:
    """Suppress a model's new rows, or unsuppress its leaving ones.

    A failed request stops the model; its counter holds the reason. A row counts as applied or removed once a
    read shows it. One that no read shows yet is unverified and blocks nothing: the next run reads it again.
    """
    change = _SuppressionChange(delivery, operation)
    groups = change.read_removes() if operation.removes else change.read_upserts()
    for rule, result in map_concurrently(delivery.context, change.send_group, groups):
        change.record_group(rule, result)
    change.read_back()


@dataclass
class _SuppressionChange:
    """The change of one model's suppressions; `done` rows of it have an outcome so far."""

    delivery: ListDelivery
    operation: ChangeSuppressions
    sender: GroupSender = field(init=False)
    ownership: OwnershipRecorder = field(init=False)
    open_rows: SuppressionReadBack = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        delivery, operation = self.delivery, self.operation
        self.sender = GroupSender(delivery.context.klaviyo, operation, delivery.refusals)
        own = delivery.context.state.own_suppressions
        pending = {} if operation.removes else own.find_pending(delivery.model_name)
        self.ownership = OwnershipRecorder(own, delivery.model_name, pending)
        self.open_rows = SuppressionReadBack(delivery, operation, self.ownership)

    def send_group(self, group: tuple[Rule, Sequence[EmailRow]]) -> tuple[Rule, GroupResult]:
        """Read and send one group; in a thread of its own."""
        rule, rows = group
        return rule, self.sender.send(rows, rule)

    def read_upserts(self) -> Iterator[tuple[Rule, Sequence[EmailRow]]]:
        """Yield the rows to suppress, until the model stops."""
        pending_rows = self.delivery.pending_rows
        for rows in pending_rows.read_upserts(self.delivery.list_id, self.operation.max_rows):
            if self.delivery.counter.stopped:
                return
            yield SuppressRule(), [EmailRow(seq, f"email:{email}", email) for seq, email, *_ in rows]

    def read_removes(self) -> Iterator[tuple[Rule, Sequence[EmailRow]]]:
        """Yield the rows to unsuppress, until the model stops, with what the state knows of them."""
        state = self.delivery.context.state
        for rows in self.delivery.pending_rows.read_removes(self.delivery.list_id, _READ_REMOVES):
            if self.delivery.counter.stopped:
                return
            state.renew_lease_or_raise()  # a run that lost the lease must not unsuppress anybody
            email_rows = [EmailRow(seq, identity, split_identity(identity)[1]) for seq, identity, *_ in rows]
            identities = [row.identity for row in email_rows]
            rule = UnsuppressRule(
                state.own_suppressions.find(self.delivery.model_name, identities),
                find_suppressing_models(state, identities, except_model=self.delivery.model_name),
                self.delivery.context.klaviyo.server_time,
            )
            for part in batched(email_rows, self.operation.max_rows):
                yield rule, part

    def record_group(self, rule: Rule, group: GroupResult) -> None:
        """Record what came of a group; rows that were sent wait for a read-back."""
        if group.stop_reason:
            self.delivery.counter.fail(group.stop_reason)
        match rule:
            case SuppressRule():
                self.ownership.record_sent(group.results)
            case UnsuppressRule():
                self.ownership.release(rule, group.results)
        self._record_refused(group.results)
        for rows in split_spans(group.results):
            if rows[0].is_open:
                self.delivery.receipt_buffer.add((self._receipt(rows),))
                self.open_rows.spans.append((rule, rows))
            else:
                self._record_span(rows, _DETAILS.get(rows[0].outcome, ""))
        if self.open_rows.row_count >= _MAX_OPEN:
            self.read_back()

    def read_back(self) -> None:
        """Read the open rows until they show what was asked for, or the time is over; then record them."""
        self.ownership.flush()
        if not self.open_rows.spans:
            return
        self.delivery.receipt_buffer.flush()
        self.open_rows.wait()
        statuses = self.open_rows.read_job_statuses()
        for rule, rows in self.open_rows.spans:
            for span in split_spans(rows):
                self._record_span(span, _describe_open(span[0], statuses) if span[0].is_open else "")
            if isinstance(rule, UnsuppressRule):
                self.ownership.release(rule, rows)
        self.open_rows.spans = []

    def _record_refused(self, results: Sequence[EmailResult]) -> None:
        kind = RowExceptionKind.HELD if self.operation.removes else RowExceptionKind.REJECTED
        refused = [
            make_row_exception(result.row.seq, read_row_error(result.error, "email"), kind)
            for result in results
            if result.error is not None
        ]
        if self.operation.removes:
            self.delivery.receipt_buffer.add((), refused)
            self.delivery.counter.add(Outcome.NOT_SENT, len(refused))
        else:
            self.delivery.record((), refused)

    def _record_span(self, rows: Sequence[EmailResult], detail: str) -> None:
        outcome = rows[0].outcome
        if outcome not in {Outcome.APPLIED, Outcome.REMOVED, *UNPROVED_STATES}:
            outcomes = dict.fromkeys((result.row.seq for result in rows), outcome)
            self.delivery.receipt_buffer.add_outcomes(outcomes)
        self.delivery.receipt_buffer.add((self._receipt(rows, detail),))
        self.delivery.counter.add(outcome, len(rows))
        self.done += len(rows)
        self.delivery.report_progress(self.operation.op, self.done)

    def _receipt(self, rows: Sequence[EmailResult], detail: str = "") -> Receipt:
        first, last = rows[0], rows[-1]
        return Receipt(
            self.delivery.list_id,
            self.operation.op,
            first.row.seq,
            last.row.seq,
            UNPROVED_STATES.get(first.outcome, ReceiptState.APPLIED),
            len(rows),
            first.job_id,
            detail,
        )


_DETAILS: Final = {
    Outcome.NO_PROFILE: "No profile has this e-mail. The next run looks again.",
    Outcome.UNVERIFIED: "An earlier request may still suppress the person. The next run looks again.",
}


def _describe_open(result: EmailResult, statuses: Mapping[str, str]) -> str:
    if result.outcome is Outcome.UNKNOWN:
        return "The reply was lost, and the change does not show yet. The next run looks again."
    status = statuses.get(result.job_id or "")
    job = f" (its job is {status!r})" if status else ""
    return f"Klaviyo accepted the request{job}, and the change does not show yet. The next run looks again."
