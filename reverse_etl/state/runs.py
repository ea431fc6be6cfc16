"""The runs: how each ended, what it did to each list, and what it left open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.state.tables import StateTables


class RunEnd(StrEnum):
    """How a run ended."""

    ENDED = "ended"  # settled
    UNSETTLED = "unsettled"  # with an import that may still be under way
    RECOVERED = "recovered"  # dead, or unsettled, and settled by a later run
    REFUSED = "refused"  # by a guard, before it wrote anything


@dataclass(frozen=True)
class OpenReceipt:
    """A receipt of an earlier run whose import job had not ended."""

    run_id: str
    model: str
    receipt: Receipt
    run_started_at: datetime


@dataclass(frozen=True)
class RunRecord:
    """A run as the state keeps it."""

    run_id: str
    state: str
    started_at: str
    ended_at: str | None
    exit_code: int | None


@dataclass(frozen=True)
class RunList:
    """The result of a list in a run: its figures and outcomes, and why it stopped, if it did."""

    run_id: str
    started_at: str
    model: str
    list_id: str
    list_name: str
    counts: Mapping[str, int]
    reason: str


@dataclass(frozen=True)
class Runs:
    """The runs of one owner that sent, could have sent, or were kept from it by a guard."""

    state_tables: StateTables

    def history(self) -> tuple[RunRecord, ...]:
        """Return the runs, newest first."""
        rows = self.state_tables.fetch(
            ledger.select_runs(self.state_tables.dialect, *self.state_tables.scope.key)
        )
        return tuple(RunRecord(*row) for row in rows)

    def run_lists(self) -> tuple[RunList, ...]:
        """Return what each run did to each list, newest run first."""
        rows = self.state_tables.fetch(
            ledger.select_all_run_lists(self.state_tables.dialect, *self.state_tables.scope.key)
        )
        return tuple(
            RunList(run_id, started_at, model, list_id, name, json.loads(counts), reason)
            for run_id, started_at, model, list_id, name, counts, reason in rows
        )

    def refusal_reasons(self, run_id: str) -> tuple[str, ...]:
        """Return why a run was refused, a sentence or two for each danger; nothing where it was not."""
        return tuple(
            reason
            for (reason,) in self.state_tables.fetch(
                ledger.select_refusal_reasons(self.state_tables.dialect, run_id)
            )
        )

    def unfinished(self) -> dict[str, datetime]:
        """Return the runs that left something open, with Klaviyo's time at their beginning."""
        rows = self.state_tables.fetch(
            ledger.select_unfinished_runs(self.state_tables.dialect, *self.state_tables.scope.key)
        )
        return {run_id: parse_timestamp(started_at) for run_id, started_at in rows}

    def windows(self, list_id: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return when each run began and ended that may have put somebody on a list, in Klaviyo's time.

        Not of one that a later run settled: when that was says nothing of its own end.
        """
        statement = ledger.select_run_windows(
            self.state_tables.dialect, *self.state_tables.scope.key, list_id
        )
        return tuple(
            (
                parse_timestamp(klaviyo_time),
                parse_timestamp(klaviyo_time) + (parse_timestamp(ended_at) - parse_timestamp(started_at)),
            )
            for klaviyo_time, started_at, ended_at in self.state_tables.fetch(statement)
        )

    def open_receipts(self) -> tuple[OpenReceipt, ...]:
        """Return the receipts of earlier runs whose import job had not ended."""
        rows = self.state_tables.fetch(
            ledger.select_open_receipts(self.state_tables.dialect, *self.state_tables.scope.key)
        )
        return tuple(_to_open_receipt(*row) for row in rows)

    def record_refused_run(
        self, run_id: str, destination_id: str, reasons: Sequence[str], exit_code: int
    ) -> None:
        """Note a run that a guard kept from writing to a target, and why."""
        dialect, scope = self.state_tables.dialect, self.state_tables.scope
        self.state_tables.commit(
            (
                *ledger.replace_account(dialect, scope.project, destination_id, scope.account),
                *ledger.insert_rows(
                    dialect, "run_lists", [(run_id, "", "", "", "{}", reason) for reason in reasons]
                ),
                ledger.insert_refused_run(dialect, run_id, *scope.key, self.state_tables.now(), exit_code),
            )
        )

    def record_end(
        self,
        run_id: str,
        run_end: RunEnd,
        exit_code: int | None = None,
        lists: Sequence[tuple[str, str, str, str, str]] = (),
    ) -> None:
        """Note how a run ended, and at once what it did.

        `lists` has (model, list id, list name, counts as JSON, reason) of each list.
        """
        dialect = self.state_tables.dialect
        self.state_tables.commit(
            (
                *ledger.insert_rows(dialect, "run_lists", [(run_id, *row) for row in lists]),
                ledger.update_ended_run(dialect, run_id, run_end.value, self.state_tables.now(), exit_code),
            )
        )


def _to_open_receipt(run_id: str, model: str, *values: Any) -> OpenReceipt:
    list_id, op, first, last, row_count, job_id, detail, may_have_duplicate, run_started_at = values
    receipt = Receipt(
        list_id,
        op,
        first,
        last,
        ReceiptState.ACCEPTED,
        row_count,
        job_id,
        detail,
        bool(may_have_duplicate),
    )
    return OpenReceipt(run_id, model, receipt, parse_timestamp(run_started_at))


def last_lists_by_model(run_lists: Sequence[RunList]) -> Mapping[str, frozenset[str]]:
    """Return the ids of the lists that each model drove in its last run. `run_lists` is newest first."""
    newest_run_ids: dict[str, str] = {}
    for run_list in run_lists:
        newest_run_ids.setdefault(run_list.model, run_list.run_id)
    return {
        model: frozenset(one.list_id for one in run_lists if (one.model, one.run_id) == (model, run_id))
        for model, run_id in newest_run_ids.items()
    }
