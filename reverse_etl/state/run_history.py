"""The evidence of one run, as a report shows it: sums of what is kept, and the first of many rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.state.sql import reports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.tables import StateTables


@dataclass(frozen=True)
class RunListRecord:
    """The result of a list in a run: its figures and outcomes, and why it stopped, if it did.

    A refused run has only a reason, and neither model nor list.
    """

    model: str
    list_id: str
    list_name: str
    counts: Mapping[str, int]
    reason: str


@dataclass(frozen=True)
class ReceiptSum:
    """How many receipts of a list and op came to a state, and of how many rows they speak."""

    model: str
    list_id: str
    op: str
    state: str
    receipts: int
    rows: int


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt as it is kept. `job_id` is Klaviyo's id of an import, None where there was none."""

    model: str
    list_id: str
    op: str
    job_id: str | None
    rows: int
    state: str
    recorded_at: str
    detail: str
    may_have_duplicate: bool = False


@dataclass(frozen=True)
class UnmatchedRemoval:
    """A removal for which no profile was found."""

    model: str
    list_id: str
    identity: str
    recorded_at: str


@dataclass(frozen=True)
class RunDetails:
    """The stored details of single runs. Reads only."""

    state_tables: StateTables

    def lists_by_run(self, run_ids: Sequence[str]) -> Mapping[str, tuple[RunListRecord, ...]]:
        """Return the lists of some runs, by run; no entry for a run of which none is kept."""
        lists_by_run: dict[str, list[RunListRecord]] = {}
        for run_id, model, list_id, name, counts, reason in self.state_tables.fetch(
            reports.select_run_lists(self.state_tables.dialect, run_ids)
        ):
            run_list = RunListRecord(model, list_id, name, json.loads(counts), reason)
            lists_by_run.setdefault(run_id, []).append(run_list)
        return {run_id: tuple(lists) for run_id, lists in lists_by_run.items()}

    def receipt_sums(self, run_id: str) -> tuple[ReceiptSum, ...]:
        """Return how many receipts of a run came to which state, by list and op."""
        records = self.state_tables.fetch(reports.select_receipt_sums(self.state_tables.dialect, run_id))
        return tuple(
            ReceiptSum(model, list_id, op, state, int(receipt_count), int(rows))
            for model, list_id, op, state, receipt_count, rows in records
        )

    def receipts(self, run_id: str, limit: int) -> tuple[StoredReceipt, ...]:
        """Return at most so many receipts of each list and op: those that are not applied first."""
        rows = self.state_tables.fetch(reports.select_receipts(self.state_tables.dialect, run_id, limit))
        return tuple(StoredReceipt(*row) for row in rows)

    def unmatched_removals(self, run_id: str, limit: int) -> tuple[int, tuple[UnmatchedRemoval, ...]]:
        """Return for how many removals of a run nobody was found, and the first of them."""
        rows = self.state_tables.fetch(
            reports.select_unmatched_removals(
                self.state_tables.dialect, self.state_tables.scope.key, run_id, limit
            )
        )
        return (int(rows[0][-1]) if rows else 0), tuple(UnmatchedRemoval(*row[:-1]) for row in rows)
