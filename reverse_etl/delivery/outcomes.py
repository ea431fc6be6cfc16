"""What came of a list's rows, counted: every row that was planned is in exactly one count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.domain.receipts import ReceiptState, RowExceptionKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.domain.receipts import Receipt, RowException


class Outcome(StrEnum):
    """The end that a planned row can come to in one run."""

    APPLIED = "applied"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    REMOVED = "removed"
    REPLACED = "superseded"  # the leaving row's profile is a desired row's: forgotten, nobody removed
    UNMANAGED = "kept"  # a member before this job first sent the row: forgotten, nobody removed
    NOT_FOUND = "gone"  # nobody was found: forgotten, and noted in the table `gone`
    LEFT_IN_PLACE = "forgotten"  # left a surface from which nobody is removed
    HELD = "held"  # not removed: someone who is wanted may be behind it


_OUTCOME_BY_RECEIPT_STATE = {
    ReceiptState.APPLIED: Outcome.APPLIED,
    ReceiptState.UNKNOWN: Outcome.UNKNOWN,
    ReceiptState.NOT_SENT: Outcome.NOT_SENT,
}
_OUTCOME_BY_EXCEPTION_KIND = {
    RowExceptionKind.REJECTED: Outcome.REJECTED,
    RowExceptionKind.NOT_SENT: Outcome.NOT_SENT,
    RowExceptionKind.UNKNOWN: Outcome.UNKNOWN,
    RowExceptionKind.HELD: Outcome.HELD,
}


@dataclass
class OutcomeCounter:
    """Counts of one list, growing while it is delivered.

    `stop_reason` says why the list stopped, where it did, and `failed` that something went wrong then;
    `has_unidentified_job` says that an import may still be under way which no receipt names, and
    `blocks_people` that an unfinished import keeps other lists waiting.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    stop_reason: str = ""
    failed: bool = False
    has_unidentified_job: bool = False
    blocks_people: bool = True

    def add(self, outcome: Outcome, rows: int) -> None:
        """Count rows that came to an end."""
        if rows:
            self.counts[outcome] += rows

    def count_receipts(self, receipts: Iterable[Receipt], row_exceptions: Iterable[RowException]) -> None:
        """Count what receipts and refusals say; accepted rows are counted when their job is settled."""
        for receipt in receipts:
            if receipt.state in _OUTCOME_BY_RECEIPT_STATE:
                self.add(_OUTCOME_BY_RECEIPT_STATE[receipt.state], receipt.rows)
        for row_exception in row_exceptions:
            self.add(_OUTCOME_BY_EXCEPTION_KIND[row_exception.kind], 1)

    def fail(self, reason: str) -> None:
        """Note the failure after which nothing more is sent to this list; the first reason stands."""
        self.failed = True
        self.halt(reason)

    def halt(self, reason: str) -> None:
        """Note why the rest of this list waits for the next run, though nothing failed.

        The first reason stands.
        """
        self.stop_reason = self.stop_reason or reason

    @property
    def stopped(self) -> bool:
        """Return whether nothing more may be sent to this list in this run."""
        return bool(self.stop_reason)

    @property
    def has_open_jobs(self) -> bool:
        """Return whether an import of this list may still be under way."""
        return self.has_unidentified_job or Outcome.ACCEPTED in self.counts
