"""The runs: how each ended, what it did to each list, and what it left open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import GuardRefused
from reverse_etl.state.shared_query import SharedQuery
from reverse_etl.state.snapshot_matches import LastComparison
from reverse_etl.state.tables import in_scope_sql, reading, require
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.interface import Row


class RunState(StrEnum):
    """The state of a run."""

    SUBMITTING = "submitting"  # it may have written to Klaviyo
    ENDED = "ended"  # every result is known
    UNSETTLED = "unsettled"  # it ended, and an import may still be in progress
    RECOVERED = "recovered"  # it was killed or unsettled, and a later run collected its results
    REFUSED = "refused"  # a guard stopped it, or it failed, before its first write


class StopCause(StrEnum):
    """Why a list stopped in a run, or a run before it sent anything."""

    GUARD = "guard"
    FAILURE = "failure"
    UNFINISHED = "unfinished"  # the next run goes on with it
    PLAN_DIFFERS = "plan_differs"  # a reason of a run: the saved plan that it applies no longer fits
    DBT_GATE = "dbt_gate"  # a reason of the run, not of a list: its models were not planned
    UNKNOWN = "unknown"  # states before version 4 have only the sentence


@dataclass(frozen=True)
class RunRecord:
    """A run as the state stores it. `exit_code` is None if the run was killed, or goes on.

    `stop_cause` is the code of why it sent nothing, "" if it may have: a `StopCause`, or that of an error.
    `reasons` says it to people.
    """

    run_id: str
    state: RunState
    started_at: str
    ended_at: str | None
    exit_code: int | None
    stop_cause: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def plan_differs(self) -> bool:
        """Return whether it was refused because its saved plan no longer fits, and not by a guard."""
        return self.stop_cause == StopCause.PLAN_DIFFERS

    @property
    def failed_before_sending(self) -> bool:
        """Return whether it failed before it sent a row: mostly before it had a plan."""
        return self.state is RunState.REFUSED and self.stop_cause not in {"", *StopCause}

    def describe_refusal(self) -> str:
        """Return what became of a run that sent nothing, as the predicate of a sentence."""
        if self.failed_before_sending:
            return f"failed before it sent a row ({self.stop_cause})"
        return "was stopped and sent nothing"

    @property
    def has_no_effect(self) -> bool:
        """Return whether it failed before it sent a row, or the dbt gate held all of its models back."""
        return self.failed_before_sending or self.stop_cause == StopCause.DBT_GATE


@dataclass(frozen=True)
class RefusedRun:
    """A run that sent nothing: stopped before its first write, or failed before that.

    `cause` is a code; each of the `reasons` is one or two sentences. `started_at` is "" for now.
    """

    run_id: str
    destination_id: str
    reasons: Sequence[str]
    cause: str
    exit_code: int = GuardRefused.exit_code
    started_at: str = ""


@dataclass(frozen=True)
class RunList:
    """The result of a list in a run: its figures and outcomes, and why it stopped.

    `stop_cause` is None if it did not; `reason` is the sentence for people. `skipped` is why its model was
    not read, None if it was.
    """

    run_id: str
    started_at: str
    model: str
    list_id: str
    list_name: str
    counts: Mapping[str, int]
    stop_cause: StopCause | None
    reason: str
    skipped: LastComparison | None = None


@dataclass(frozen=True)
class Runs:
    """The runs of one account and project that sent, could have sent, were stopped by a guard, or failed."""

    state_tables: StateTables

    @property
    def shared_queries(self) -> tuple[SharedQuery, ...]:
        """Return what a run asks: the runs, their lists, and the accounts of the project's targets."""
        return self._runs_query, self._run_lists_query, self._targets_query

    @property
    def _runs_query(self) -> SharedQuery:
        return self.state_tables.in_scope_query(
            "runs",
            "run_id, state, klaviyo_time, started_at, ended_at, exit_code",
            "started_at, run_id",
            integers=(5,),
        )

    @property
    def _run_lists_query(self) -> SharedQuery:
        run_lists, runs = map(self.state_tables.dialect.state_table, ("run_lists", "runs"))
        run_list = ("model", "list_id", "list_name", "counts", "stop_cause", "reason")
        return SharedQuery(
            ("run_lists", "runs"),
            ("l.run_id", "r.started_at", *(f"l.{column}" for column in run_list)),
            f"FROM {run_lists} AS l JOIN {runs} AS r ON l.run_id = r.run_id\n"
            f"WHERE {in_scope_sql('r')} AND r.state <> '{RunState.REFUSED}' AND l.model <> ''",
            "r.started_at DESC, r.run_id DESC, l.model, l.list_name, l.list_id",
            self.state_tables.scope.key,
        )

    @property
    def _targets_query(self) -> SharedQuery:
        return SharedQuery(
            ("targets",),
            ("destination_id", "account_id"),
            f"FROM {self.state_tables.dialect.state_table('targets')} WHERE project = ?",
            "destination_id, account_id",
            (self.state_tables.scope.project,),
        )

    @reading("runs")
    def history(self) -> tuple[RunRecord, ...]:
        """Return the runs, newest first."""
        rows = self._rows()
        refused = {run_id for run_id, state, *_ in rows if state == RunState.REFUSED}
        reasons = self._find_reasons(refused) if refused else {}
        causes = {run_id: cause or "" for run_id in reasons for cause, _ in reasons[run_id]}
        return tuple(
            RunRecord(
                run_id,
                RunState(state),
                started_at,
                ended_at,
                exit_code,
                causes.get(run_id, ""),
                tuple(reason for _, reason in reasons.get(run_id, ())),
            )
            for run_id, state, _, started_at, ended_at, exit_code in reversed(rows)
        )

    def _rows(self) -> list[Row]:
        return self.state_tables.fetch_shared(self._runs_query)

    def _find_reasons(self, run_ids: Collection[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return the causes and reasons of refused runs."""
        found: dict[str, list[tuple[str, str]]] = {}
        rows = self.state_tables.read("run_lists", "run_id, stop_cause, reason", "run_id, reason", model="")
        for run_id, cause, reason in rows:
            if run_id in run_ids:
                found.setdefault(run_id, []).append((cause, reason))
        return found

    @reading("run_lists")
    def run_lists(self) -> tuple[RunList, ...]:
        """Return the result of each list in each run, newest run first. A refused run has no lists.

        Rows without a model are reasons of a run.
        """
        rows = self.state_tables.fetch_shared(self._run_lists_query)
        return tuple(
            RunList(
                run_id,
                started,
                model,
                require(list_id),
                require(name),
                _parse_counts(stored),
                _stop_cause(cause),
                reason,
                _parse_skipped(stored),
            )
            for run_id, started, model, list_id, name, counts, cause, reason in rows
            for stored in [json.loads(counts)]
        )

    def interrupted_lists(self) -> tuple[tuple[str, str, str], ...]:
        """Return (started, model, list id) of the lists with receipts of runs that recorded no result."""
        receipts, runs = map(self.state_tables.dialect.state_table, ("receipts", "runs"))
        statement = Statement.read(
            f"SELECT DISTINCT r.started_at, c.model, c.list_id FROM {receipts} AS c JOIN {runs} AS r "
            f"ON c.run_id = r.run_id\n"
            f"WHERE {in_scope_sql('r')} AND r.exit_code IS NULL "
            f"AND r.state IN ('{RunState.SUBMITTING}', '{RunState.RECOVERED}') "
            f"ORDER BY r.started_at, c.model, c.list_id",
            self.state_tables.scope.key,
        )
        return tuple(
            (started, model, list_id) for started, model, list_id in self.state_tables.fetch(statement)
        )

    def refusal_reasons(self, run: RunRecord) -> tuple[str, ...]:
        """Return why guards stopped a run, or the dbt gate held models of it back; empty if none did.

        Each is one or two sentences. The reasons of stopped lists are with their lists.
        """
        rows = self.state_tables.read("run_lists", "reason", "reason", run_id=run.run_id, model="")
        return tuple(reason for (reason,) in rows)

    @reading("runs")
    def unfinished(self) -> dict[str, datetime]:
        """Return the runs that left something open, with Klaviyo's time at their start."""
        return {
            run_id: parse_timestamp(klaviyo_time)
            for run_id, state, klaviyo_time, *_ in self._rows()
            if state in {RunState.SUBMITTING, RunState.UNSETTLED}
        }

    @reading("runs")
    def ends(self) -> dict[str, datetime | None]:
        """Return the runs that may have sent something, in their order.

        Each has its end in Klaviyo's time, None if it is open.
        """
        return {
            run_id: _end_in_klaviyo_time(klaviyo_time, started_at, ended_at) if ended_at else None
            for run_id, _, klaviyo_time, started_at, ended_at, _ in self._rows()
            if klaviyo_time  # a refused run has none
        }

    @reading("runs")
    def windows(self, list_id: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return the start and end, in Klaviyo's time, of each run that may have added members to a list.

        Runs that a later run recovered are left out: their own end is not known.
        """
        runs, receipts = map(self.state_tables.dialect.state_table, ("runs", "receipts"))
        statement = Statement.read(
            f"SELECT r.klaviyo_time, r.started_at, r.ended_at FROM {runs} AS r\n"
            f"WHERE {in_scope_sql('r')} AND r.state = '{RunState.ENDED}' "
            f"AND EXISTS (SELECT 1 FROM {receipts} AS c\n"
            f"  WHERE c.run_id = r.run_id AND c.list_id = ? AND c.op = 'add' "
            f"AND c.state IN ('applied', 'unknown'))\n"
            f"ORDER BY r.klaviyo_time, r.run_id",
            (*self.state_tables.scope.key, list_id),
        )
        return tuple(
            (
                parse_timestamp(klaviyo_time),
                _end_in_klaviyo_time(klaviyo_time, started_at, ended_at),
            )
            for klaviyo_time, started_at, ended_at in self.state_tables.fetch(statement)
        )

    def start(self, run_id: str, destination_id: str, klaviyo_time: str) -> tuple[Statement, ...]:
        """Record that a run is submitting: from then on its deltas may have been sent."""
        values: dict[str, str | int] = {
            "state": RunState.SUBMITTING.value,
            "started_at": self.state_tables.now(),
            "klaviyo_time": klaviyo_time,
        }
        return self._insert_run(run_id, destination_id, values)

    def record_refused_run(self, run: RefusedRun) -> None:
        """Record a run that was stopped before its first write, and why."""
        now = self.state_tables.now()
        refused: dict[str, str | int] = {
            "state": RunState.REFUSED.value,
            "started_at": run.started_at or now,
            "klaviyo_time": "",
            "ended_at": now,
            "exit_code": run.exit_code,
        }
        self.state_tables.commit(
            (
                *self.state_tables.insert(
                    "run_lists",
                    [(run.run_id, "", "", "", "{}", str(run.cause), reason) for reason in run.reasons],
                ),
                *self._insert_run(run.run_id, run.destination_id, refused),
            )
        )

    def record_end(
        self,
        run_id: str,
        state: RunState,
        exit_code: int | None = None,
        lists: Sequence[tuple[str | None, ...]] = (),
    ) -> None:
        """Record how a run ended, and in the same transaction what it did.

        `lists` has (model, list id, list name, counts as JSON, cause of its stop or None, reason) of
        each list. Without an exit code the stored one stays.
        """
        changes = {"state": state.value, "ended_at": self.state_tables.now()}
        exit_codes = {} if exit_code is None else {"exit_code": exit_code}
        self.state_tables.commit(
            (
                *self.state_tables.insert("run_lists", [(run_id, *row) for row in lists]),
                self.state_tables.update("runs", changes | exit_codes, run_id=run_id),
            )
        )

    def _insert_run(
        self, run_id: str, destination_id: str, values: dict[str, str | int]
    ) -> tuple[Statement, ...]:
        """Insert a run, and the account that its target sends to."""
        tables, (account, project) = self.state_tables, self.state_tables.scope.key
        target = {"project": project, "destination_id": destination_id}
        stored_targets = tables.fetch_shared(self._targets_query)
        accounts = [stored for stored_id, stored in stored_targets if stored_id == destination_id]
        replaced = (
            (tables.delete("targets", **target), *tables.insert("targets", [(*target.values(), account)]))
            if accounts != [account]
            else ()
        )
        row = {"run_id": run_id, "account_id": account, "project": project, **values}
        return (*replaced, *tables.merge("runs", [row], "run_id"))


def _end_in_klaviyo_time(klaviyo_time: str, started_at: str, ended_at: str) -> datetime:
    """Return the end of a run: its start in Klaviyo's time, and how long it took on this machine's clock."""
    return parse_timestamp(klaviyo_time) + (parse_timestamp(ended_at) - parse_timestamp(started_at))


def last_lists_by_model(run_lists: Sequence[RunList]) -> Mapping[str, frozenset[str]]:
    """Return the ids of the lists in each model's last run. `run_lists` is newest first."""
    newest_run_ids: dict[str, str] = {}
    for run_list in run_lists:
        newest_run_ids.setdefault(run_list.model, run_list.run_id)
    return {
        model: frozenset(
            run_list.list_id for run_list in run_lists if (run_list.model, run_list.run_id) == (model, run_id)
        )
        for model, run_id in newest_run_ids.items()
    }


_SKIPPED: Final = "skipped"  # beside the counts; only of models that were not read
COMPARED_ROWS: Final = "compared_rows"  # beside the counts; only of models with `updated_at`, if not all were
_LATER_COUNTS: Final = {  # by the count before them
    "applied": ("unverified", "no_profile", "opted_out", "pending"),
    "rejected_by_check": ("clears", "without_profile", "withheld"),
    "left_in_place": ("readmitted",),
}


def _stop_cause(stored: str | None) -> StopCause | None:
    return StopCause(stored) if stored else None


def encode_counts(counts: Mapping[str, int], skipped: LastComparison | None) -> str:
    """Return the stored counts of a list, and why its model was skipped."""
    return json.dumps({**counts, **({_SKIPPED: skipped.to_json()} if skipped else {})})


def _parse_skipped(stored: Mapping[str, Any]) -> LastComparison | None:
    skipped = stored.get(_SKIPPED)
    return LastComparison(skipped["run_id"], skipped["compared_at"]) if skipped else None


def _parse_counts(stored: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of a list's rows. A run that was stored before a count existed had no such rows."""
    counts: dict[str, int] = {}
    for name, rows in stored.items():
        if name == _SKIPPED:
            continue
        counts[name] = rows
        counts |= dict.fromkeys(_LATER_COUNTS.get(name, ()), 0)
    return counts
