"""The evidence of one run, as a report shows it: sums of what is kept, and the first of many rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.state.sql import reports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.tables import Tables


@dataclass(frozen=True)
class KeptList:
    """What a run did to a list: counts as `run.counts` names them, and why it stopped, if it did.

    Of a refused run only the reason, with neither model nor list.
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
class KeptReceipt:
    """A receipt as it is kept. `job` is Klaviyo's id of an import, None where there was none."""

    model: str
    list_id: str
    op: str
    job: str | None
    rows: int
    state: str
    at: str
    detail: str


@dataclass(frozen=True)
class Missed:
    """A removal for whom nobody was found."""

    model: str
    list_id: str
    identity: str
    at: str


@dataclass(frozen=True)
class Evidence:
    """What the state keeps of single runs. Reads only."""

    tables: Tables

    def lists(self, run_ids: Sequence[str]) -> Mapping[str, tuple[KeptList, ...]]:
        """Return the lists of some runs, by run; no entry for a run of which none is kept."""
        found: dict[str, list[KeptList]] = {}
        for run_id, model, list_id, name, counts, reason in self.tables.fetch(
            reports.run_lists(self.tables.dialect, run_ids)
        ):
            one = KeptList(model, list_id, name, json.loads(counts), reason)
            found.setdefault(run_id, []).append(one)
        return {run_id: tuple(lists) for run_id, lists in found.items()}

    def receipt_sums(self, run_id: str) -> tuple[ReceiptSum, ...]:
        """Return how many receipts of a run came to which state, by list and op."""
        found = self.tables.fetch(reports.receipt_sums(self.tables.dialect, run_id))
        return tuple(
            ReceiptSum(model, list_id, op, state, int(number), int(rows))
            for model, list_id, op, state, number, rows in found
        )

    def receipts(self, run_id: str, most: int) -> tuple[KeptReceipt, ...]:
        """Return at most so many receipts of each list and op: those that are not applied first."""
        found = self.tables.fetch(reports.receipts(self.tables.dialect, run_id, most))
        return tuple(KeptReceipt(*row) for row in found)

    def gone(self, run_id: str, most: int) -> tuple[int, tuple[Missed, ...]]:
        """Return for how many removals of a run nobody was found, and the first of them."""
        found = self.tables.fetch(reports.gone(self.tables.dialect, self.tables.owner.key, run_id, most))
        return (int(found[0][-1]) if found else 0), tuple(Missed(*row[:-1]) for row in found)
