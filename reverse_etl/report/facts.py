"""The facts of a report: frozen values of what the state remembers of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.report.counts import sum_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.state import RunRecord, StoredReceipt


@dataclass(frozen=True)
class ListLabel:
    """A list of a model; both `list_id` and `name` are '' without a list, and for rows that name none.

    `surface` is the name of a surface without lists, else ''.
    """

    model: str
    list_id: str
    name: str
    surface: str = ""

    @property
    def text(self) -> str:
        """Return what people call it."""
        return f"({self.surface})" if self.surface else self.name or self.list_id or "(no list)"


@dataclass(frozen=True)
class ListSummary:
    """What a run did to a list: counts as `run.counts` names them, and why it stopped, if it did."""

    label: ListLabel
    counts: Mapping[str, int]
    reason: str

    def sum_counts(self, *names: str) -> int:
        """Return the rows of some counts together."""
        return sum_counts(self.counts, names)


@dataclass(frozen=True)
class Proof:
    """What is known of all requests of one sort (`op`: add, remove) for a list.

    `rows_by_state` counts, by state, the rows that the receipts speak of: not those that Klaviyo refused.
    `shown_receipts` are the first of the receipts, those that are not applied before the others. `forgets`:
    rows that leave are forgotten, and nothing is sent for them.
    """

    label: ListLabel
    op: str
    receipt_count: int
    rows_by_state: Mapping[str, int]
    shown_receipts: tuple[StoredReceipt, ...]
    forgets: bool = False

    @property
    def hidden_receipt_count(self) -> int:
        """Return how many receipts are not among those shown."""
        return self.receipt_count - len(self.shown_receipts)


@dataclass(frozen=True)
class RejectionSummary:
    """Rows of a list that stand rejected now, for one reason; the run saw `new` of them first.

    `example` is the identity of one of them, if any has one.
    """

    label: ListLabel
    source: str
    code: str
    field: str
    detail: str
    rows: int
    new: int
    example: str | None


@dataclass(frozen=True)
class RemovalNotFound:
    """A removal for whom nobody was found, and when that was noted."""

    label: ListLabel
    identity: str
    at: str


@dataclass(frozen=True)
class ReportedRun:
    """A run and what it did to each list. `lists` is empty of one that was cut off, or refused."""

    run: RunRecord
    lists: tuple[ListSummary, ...]

    def sum_counts(self, *names: str) -> int:
        """Return the rows of some counts of all lists together."""
        return sum(summary.sum_counts(*names) for summary in self.lists)


@dataclass(frozen=True)
class Report:
    """One run, as the state remembers it at the time `generated_at`.

    `later_run_count` runs came after it. `refusal_reasons` says why a guard kept it from writing.
    `rejections_match_run` says that the rejections, which are kept as they stand now, are those of this run.
    `removal_not_found_count` are all of which `removals_not_found` shows the first. Of the
    `previous_run_count` runs, `previous_runs` are the last, newest first. `notes` are today's.
    """

    generated_at: str
    project: str
    target: str
    account: str
    sandbox: bool
    run: RunRecord
    later_run_count: int
    lists: tuple[ListSummary, ...]
    refusal_reasons: tuple[str, ...]
    proofs: tuple[Proof, ...]
    rejections: tuple[RejectionSummary, ...]
    rejections_match_run: bool
    removals_not_found: tuple[RemovalNotFound, ...]
    removal_not_found_count: int
    previous_runs: tuple[ReportedRun, ...]
    previous_run_count: int
    notes: tuple[str, ...]

    def sum_counts(self, *names: str) -> int:
        """Return the rows of some counts of all lists together."""
        return sum(summary.sum_counts(*names) for summary in self.lists)
