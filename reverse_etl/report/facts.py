"""The facts of a report: what the state has about one run, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.report.counts import REJECTED_COUNTS, sum_counts
from reverse_etl.state.runs import COMPARED_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.report.status import Interruption, ListEnd
    from reverse_etl.state import RunRecord, StoredReceipt
    from reverse_etl.state.runs import StopCause
    from reverse_etl.state.snapshot_matches import LastComparison


@dataclass(frozen=True)
class ListLabel:
    """A list of a model. `list_id` and `name` are '' for a surface without lists and for rows without a list.

    `surface` is the name of a surface without lists, or ''.
    """

    model: str
    list_id: str
    name: str
    surface: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return what stays the same if the list gets another name."""
        return self.model, self.list_id

    @property
    def text(self) -> str:
        """Return the list's name for display."""
        return f"({self.surface})" if self.surface else self.name or self.list_id or "(no list)"


@dataclass(frozen=True)
class ListSummary:
    """The changes of a run on a list: its counts, and why it stopped.

    `stop_cause` is None if it did not; `reason` is the sentence for people. `skipped` is why its model was
    not read, None if it was.
    """

    label: ListLabel
    counts: Mapping[str, int]
    stop_cause: StopCause | None
    reason: str
    skipped: LastComparison | None = None

    @property
    def is_all_rejected(self) -> bool:
        """Return whether every row is rejected. False for the rows of a model that name no list."""
        return (
            bool(self.label.list_id or self.label.surface)
            and self.sum_counts(*REJECTED_COUNTS) > 0
            and self.sum_counts("rows") <= self.sum_counts("rejected_by_klaviyo")
        )

    def sum_counts(self, *names: str) -> int:
        """Return the sum of the named counts."""
        return sum_counts(self.counts, names)


@dataclass(frozen=True)
class ListProof:
    """The receipts of one operation (`op`: add, remove) on a list.

    `rows_by_state` counts the rows of the receipts by state, without those that Klaviyo refused.
    `shown_receipts` are the first receipts; those that are not applied come first. `forgets` says that the
    surface sends nothing for rows that leave the model.
    """

    label: ListLabel
    op: str
    receipt_count: int
    rows_by_state: Mapping[str, int]
    shown_receipts: tuple[StoredReceipt, ...]
    forgets: bool = False

    @property
    def hidden_receipt_count(self) -> int:
        """Return the number of receipts that are not shown."""
        return self.receipt_count - len(self.shown_receipts)


@dataclass(frozen=True)
class RejectionSummary:
    """Rows of a list that are rejected for one reason; `new_rows` were first rejected in this run."""

    label: ListLabel
    rejected: RejectedRows


@dataclass(frozen=True)
class RemovalNotFound:
    """A removal that was not found on the list."""

    label: ListLabel
    identity: str
    recorded_at: str


@dataclass(frozen=True)
class ReportedRun:
    """A run and what it did to each list. `lists` is empty if the run was interrupted or stopped."""

    run: RunRecord
    lists: tuple[ListSummary, ...]

    def sum_counts(self, *names: str) -> int:
        """Return the sum of the named counts over all lists."""
        return sum(summary.sum_counts(*names) for summary in self.lists)


@dataclass(frozen=True)
class Report:
    """One run, as the state has it at the time `generated_at`.

    `later_run_count` counts the runs after it. `refusal_reasons` says why a guard stopped it, or the dbt
    gate held models of it back. `rejections_match_run` says whether the rejections, of which the state has
    only the current ones, are those of this run. `removals_not_found` has the first of
    `removal_not_found_count` removals. `previous_runs` has the newest of
    `previous_run_count` runs, newest first. `notes` are current. `interruption` has the rows
    of a run that recorded no result. `has_journal` says whether what came of each row is kept.
    `ended_lists` are those, by model and list id, that no run sends to any more.
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
    proofs: tuple[ListProof, ...]
    rejections: tuple[RejectionSummary, ...]
    rejections_match_run: bool
    removals_not_found: tuple[RemovalNotFound, ...]
    removal_not_found_count: int
    previous_runs: tuple[ReportedRun, ...]
    previous_run_count: int
    notes: tuple[str, ...]
    interruption: Interruption | None = None
    has_journal: bool = False
    ended_lists: Mapping[tuple[str, str], ListEnd] = field(default_factory=dict)

    @property
    def partly_compared_models(self) -> Mapping[str, int]:
        """Return, by model, how many rows were compared by `updated_at`, if not all were."""
        return {
            summary.label.model: summary.counts[COMPARED_ROWS]
            for summary in self.lists
            if COMPARED_ROWS in summary.counts
        }

    @property
    def skipped_models(self) -> Mapping[str, LastComparison]:
        """Return why each model was skipped that was not read."""
        return {summary.label.model: summary.skipped for summary in self.lists if summary.skipped}

    def sum_counts(self, *names: str) -> int:
        """Return the sum of the named counts over all lists."""
        return sum(summary.sum_counts(*names) for summary in self.lists)
