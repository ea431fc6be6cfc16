"""What came of a list's rows, counted: every row that was planned is in exactly one count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.domain.receipts import ReceiptState, RefusalKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.domain.receipts import Receipt, Refusal


class Outcome(StrEnum):
    """The end that a planned row can come to in one run."""

    APPLIED = "applied"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    REMOVED = "removed"
    SUPERSEDED = "superseded"  # the leaving row's profile is a desired row's: forgotten, nobody removed
    KEPT = "kept"  # a member before this job first sent the row: forgotten, nobody removed
    GONE = "gone"  # nobody was found: forgotten, and noted in the table `gone`
    FORGOTTEN = "forgotten"  # left a surface from which nobody is removed
    HELD = "held"  # not removed: someone who is wanted may be behind it


_RECEIPTS = {
    ReceiptState.APPLIED: Outcome.APPLIED,
    ReceiptState.UNKNOWN: Outcome.UNKNOWN,
    ReceiptState.NOT_SENT: Outcome.NOT_SENT,
}
_REFUSALS = {
    RefusalKind.REJECTED: Outcome.REJECTED,
    RefusalKind.NOT_SENT: Outcome.NOT_SENT,
    RefusalKind.UNKNOWN: Outcome.UNKNOWN,
    RefusalKind.HELD: Outcome.HELD,
}


@dataclass
class Tally:
    """Counts of one list, growing while it is delivered.

    `reason` says why the list stopped, where it did, and `failed` that something went wrong then; `open_jobs`
    says that an import may still be under way which no receipt names.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    reason: str = ""
    failed: bool = False
    open_jobs: bool = False

    def add(self, outcome: Outcome, rows: int) -> None:
        """Count rows that came to an end."""
        if rows:
            self.counts[outcome] += rows

    def count(self, receipts: Iterable[Receipt], refusals: Iterable[Refusal]) -> None:
        """Count what receipts and refusals say; accepted rows are counted when their job is settled."""
        for receipt in receipts:
            if receipt.state in _RECEIPTS:
                self.add(_RECEIPTS[receipt.state], receipt.rows)
        for refusal in refusals:
            self.add(_REFUSALS[refusal.kind], 1)

    def stop(self, reason: str) -> None:
        """Note the failure after which nothing more is sent to this list; the first reason stands."""
        self.failed = True
        self.pause(reason)

    def pause(self, reason: str) -> None:
        """Note why the rest of this list waits for the next run, though nothing failed.

        The first reason stands.
        """
        self.reason = self.reason or reason

    @property
    def stopped(self) -> bool:
        """Return whether nothing more may be sent to this list in this run."""
        return bool(self.reason)

    @property
    def unended(self) -> bool:
        """Return whether an import of this list may still be under way."""
        return self.open_jobs or Outcome.ACCEPTED in self.counts
