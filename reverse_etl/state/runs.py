"""The runs: how each ended, what it did to each list, and what it left open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.domain.timestamps import read
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.state.tables import Tables


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
    begun: datetime


@dataclass(frozen=True)
class PastRun:
    """A run as the state keeps it."""

    run_id: str
    state: str
    started: str
    ended: str | None
    exit_code: int | None


@dataclass(frozen=True)
class PastList:
    """What a run did to a list: counts as `run.counts` names them, and why it stopped, if it did."""

    run_id: str
    started: str
    model: str
    list_id: str
    list_name: str
    counts: Mapping[str, int]
    reason: str


@dataclass(frozen=True)
class Runs:
    """The runs of one owner that sent, could have sent, or were kept from it by a guard."""

    tables: Tables

    def past(self) -> tuple[PastRun, ...]:
        """Return the runs, newest first."""
        rows = self.tables.fetch(ledger.runs(self.tables.dialect, *self.tables.owner.key))
        return tuple(PastRun(*row) for row in rows)

    def past_lists(self) -> tuple[PastList, ...]:
        """Return what each run did to each list, newest run first."""
        rows = self.tables.fetch(ledger.run_lists(self.tables.dialect, *self.tables.owner.key))
        return tuple(
            PastList(run, at, model, list_id, name, json.loads(counts), reason)
            for run, at, model, list_id, name, counts, reason in rows
        )

    def refusal(self, run_id: str) -> tuple[str, ...]:
        """Return why a run was refused, a sentence or two for each danger; nothing where it was not."""
        return tuple(text for (text,) in self.tables.fetch(ledger.refusal(self.tables.dialect, run_id)))

    def dead(self) -> dict[str, datetime]:
        """Return the runs that left something open, with Klaviyo's time at their beginning."""
        rows = self.tables.fetch(ledger.dead_runs(self.tables.dialect, *self.tables.owner.key))
        return {run_id: read(at) for run_id, at in rows}

    def times(self, list_id: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return when each run began and ended that may have put somebody on a list, in Klaviyo's time.

        Not of one that a later run settled: when that was says nothing of its own end.
        """
        statement = ledger.run_times(self.tables.dialect, *self.tables.owner.key, list_id)
        return tuple(
            (read(begun), read(begun) + (read(ended) - read(started)))
            for begun, started, ended in self.tables.fetch(statement)
        )

    def open_receipts(self) -> tuple[OpenReceipt, ...]:
        """Return the receipts of earlier runs whose import job had not ended."""
        rows = self.tables.fetch(ledger.open_receipts(self.tables.dialect, *self.tables.owner.key))
        return tuple(
            OpenReceipt(
                run_id,
                model,
                Receipt(list_id, op, first, last, ReceiptState.ACCEPTED, count, job, detail),
                read(begun),
            )
            for run_id, model, list_id, op, first, last, count, job, detail, begun in rows
        )

    def refuse(self, run_id: str, target: str, reasons: Sequence[str], exit_code: int) -> None:
        """Note a run that a guard kept from writing to a target, and why."""
        dialect, owner = self.tables.dialect, self.tables.owner
        self.tables.commit(
            (
                *ledger.set_account(dialect, owner.project, target, owner.account),
                *ledger.insert_rows(
                    dialect, "run_lists", [(run_id, "", "", "", "{}", reason) for reason in reasons]
                ),
                ledger.refuse_run(dialect, run_id, *owner.key, self.tables.now(), exit_code),
            )
        )

    def end(
        self,
        run_id: str,
        end: RunEnd,
        exit_code: int | None = None,
        lists: Sequence[tuple[str, str, str, str, str]] = (),
    ) -> None:
        """Note how a run ended, and at once what it did.

        `lists` has (model, list id, list name, counts as JSON, reason) of each list.
        """
        dialect = self.tables.dialect
        self.tables.commit(
            (
                *ledger.insert_rows(dialect, "run_lists", [(run_id, *row) for row in lists]),
                ledger.end_run(dialect, run_id, end.value, self.tables.now(), exit_code),
            )
        )


def driven_last(past: Sequence[PastList]) -> Mapping[str, frozenset[str]]:
    """Return the ids of the lists that each model drove in its last run. `past` is newest first."""
    newest: dict[str, str] = {}
    for one in past:
        newest.setdefault(one.model, one.run_id)
    return {
        model: frozenset(one.list_id for one in past if (one.model, one.run_id) == (model, run_id))
        for model, run_id in newest.items()
    }
