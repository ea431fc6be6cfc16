"""The outcomes of a list's rows: every planned row is counted exactly once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import ReceiptState, RowExceptionKind
from reverse_etl.domain.rejections import OPTED_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.domain.receipts import Receipt, RowException


class Outcome(StrEnum):
    """How a planned row ended in a run."""

    APPLIED = "applied"
    UNVERIFIED = "unverified"  # Klaviyo took the request (202), and nothing shows what came of it yet
    NO_PROFILE = "no_profile"  # Klaviyo has nobody with this identifier: a later run looks again
    REJECTED = "rejected_by_klaviyo"
    OPTED_OUT = "opted_out"  # the person opted out, and is not subscribed over it
    PENDING = "pending"  # Klaviyo took the consent and does not show it yet: the person may have to confirm
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    REMOVED = "removed"
    REPLACED = "replaced"  # a desired row has the same profile: nobody is removed, the old row is forgotten
    UNMANAGED = (
        "unmanaged"  # not ours to take back, as a member from before the first run: the row is forgotten
    )
    NOT_FOUND = "not_found"  # nobody was found: the row is forgotten, and noted in `unmatched_removals`
    LEFT_IN_PLACE = (
        "left_in_place"  # its surface removes nothing: the row is forgotten, Klaviyo keeps what it has
    )
    READMITTED = "readmitted"  # it left a model of deletions: other models may send the person again
    HELD = "held_at_lookup"  # not carried out, since it might concern somebody else, or more than was asked


OUTCOME_BY_RECEIPT_STATE: Final = {
    ReceiptState.APPLIED: Outcome.APPLIED,
    ReceiptState.UNKNOWN: Outcome.UNKNOWN,
    ReceiptState.NOT_SENT: Outcome.NOT_SENT,
}
# The states of receipts of rows that are not proved: a later run looks at them again.
UNPROVED_STATES: Final = {
    Outcome.UNVERIFIED: ReceiptState.UNKNOWN,
    Outcome.UNKNOWN: ReceiptState.UNKNOWN,
    Outcome.NO_PROFILE: ReceiptState.UNKNOWN,
    Outcome.NOT_SENT: ReceiptState.NOT_SENT,
}
_OUTCOME_BY_EXCEPTION_KIND = {
    RowExceptionKind.REJECTED: Outcome.REJECTED,
    RowExceptionKind.NOT_SENT: Outcome.NOT_SENT,
    RowExceptionKind.UNKNOWN: Outcome.UNKNOWN,
    RowExceptionKind.NO_PROFILE: Outcome.NO_PROFILE,
    RowExceptionKind.HELD: Outcome.HELD,
}


def _receipt_outcome(receipt: Receipt) -> Outcome:
    if not receipt.verified:
        return Outcome.UNVERIFIED
    if receipt.state is ReceiptState.APPLIED and receipt.op == Op.REMOVE:
        return Outcome.REMOVED
    return OUTCOME_BY_RECEIPT_STATE[receipt.state]


def _exception_outcome(row_exception: RowException) -> Outcome:
    if row_exception.kind is RowExceptionKind.REJECTED and row_exception.code == OPTED_OUT:
        return Outcome.OPTED_OUT
    return _OUTCOME_BY_EXCEPTION_KIND[row_exception.kind]


@dataclass
class OutcomeCounter:
    """Counts the outcomes of one list during its delivery.

    `stop_reason` is why the list stopped, or empty; `failed` is whether that was a failure.
    `has_unidentified_job`: after a lost reply, an import without a receipt may still be running.
    `blocks_people`: an unfinished import of this list makes other lists wait.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    stop_reason: str = ""
    failed: bool = False
    has_unidentified_job: bool = False
    blocks_people: bool = True

    def add(self, outcome: Outcome, rows: int) -> None:
        """Count rows with this outcome."""
        if rows:
            self.counts[outcome] += rows

    def merge(self, other: OutcomeCounter) -> None:
        """Add what came of other rows of the same list."""
        self.counts += other.counts
        self.stop_reason = self.stop_reason or other.stop_reason
        self.failed = self.failed or other.failed
        self.has_unidentified_job = self.has_unidentified_job or other.has_unidentified_job

    def replace(self, outcome: Outcome, worse: Outcome, rows: int) -> None:
        """Count rows with a worse outcome than the one with which they were counted before."""
        if rows:
            self.counts[outcome] -= rows
            self.counts[worse] += rows
            self.counts = +self.counts  # without outcomes that no row has any more

    def forget(self, outcome: Outcome, rows: int) -> None:
        """Take back rows with this outcome: they are sent once more."""
        self.counts[outcome] -= rows
        if not self.counts[outcome]:
            del self.counts[outcome]

    def count_receipts(self, receipts: Iterable[Receipt], row_exceptions: Iterable[RowException]) -> None:
        """Count the rows of receipts and exceptions; accepted rows are counted when their job has ended."""
        for receipt in receipts:
            if receipt.state in OUTCOME_BY_RECEIPT_STATE:
                self.add(_receipt_outcome(receipt), receipt.rows)
        for row_exception in row_exceptions:
            self.add(_exception_outcome(row_exception), 1)

    def fail(self, reason: str) -> None:
        """Stop the list because of a failure. The first reason is kept."""
        self.failed = True
        self.halt(reason)

    def halt(self, reason: str) -> None:
        """Stop the list without a failure: the next run continues. The first reason is kept."""
        self.stop_reason = self.stop_reason or reason

    @property
    def stopped(self) -> bool:
        """Return whether nothing more may be sent to this list in this run."""
        return bool(self.stop_reason)

    @property
    def has_open_jobs(self) -> bool:
        """Return whether an import of this list may still be under way."""
        return self.has_unidentified_job or Outcome.ACCEPTED in self.counts
