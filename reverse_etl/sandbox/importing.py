"""Apply import jobs, each in one transaction at the time at which it ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.sandbox.jobs import JOB_COLUMNS, JobScript, RowFailurePlan, StoredJob
from reverse_etl.sandbox.lists import add_members, find_list
from reverse_etl.sandbox.matching import RowFailure, StoredProfile
from reverse_etl.sandbox.profiles import load_matching_profiles, save_profiles
from reverse_etl.sandbox.replies import title_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from reverse_etl.sandbox.rules import Rules


@dataclass(frozen=True)
class _DueJob:
    job: StoredJob
    rows: list[dict[str, Any]]
    script: JobScript


@dataclass
class ImportOutcome:
    """The result of a job: changed profiles, reported failures, and the number of unreported failures."""

    profiles: dict[int, StoredProfile] = field(default_factory=dict)
    failures: list[tuple[RowFailurePlan, Mapping[str, Any]]] = field(default_factory=list)
    silent_failures: int = 0
    applied_rows: int = 0


def advance_jobs(db: sqlite3.Connection, account_id: str, rules: Rules, now: float) -> None:
    """Start and end the jobs that are due, the earliest end first. Jobs that have ended do not change."""
    db.execute("UPDATE jobs SET status = 'processing' WHERE status = 'queued' AND starts_at <= ?", (now,))
    due_rows = db.execute(
        f"SELECT {JOB_COLUMNS}, j.content, j.fate FROM jobs j "
        "WHERE j.status IN ('queued', 'processing') AND j.ends_at <= ? ORDER BY j.ends_at, j.seq",
        (now,),
    ).fetchall()
    for *columns, content, script_text in due_rows:
        _finish_job(
            db,
            account_id,
            rules,
            _DueJob(StoredJob(*columns), orjson.loads(content), JobScript.from_json(script_text)),
        )


def _finish_job(db: sqlite3.Connection, account_id: str, rules: Rules, due_job: _DueJob) -> None:
    job, is_cancelled = due_job.job, due_job.script.cancelled_after is not None
    outcome = _apply_rows(db, account_id, rules, due_job)
    save_profiles(db, outcome.profiles.values())
    for stored_list in (find_list(db, resource_id) for resource_id in job.list_ids()):
        if stored_list is not None:  # None: deleted since the job was accepted
            add_members(db, stored_list, outcome.profiles, job.ends_at)
    db.executemany(
        "INSERT INTO job_profiles VALUES (?, ?)", ((job.seq, profile_seq) for profile_seq in outcome.profiles)
    )
    db.executemany(
        "INSERT INTO job_errors (job, id, code, title, detail, pointer, original_payload) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (_import_error_values(job, failure_plan, row) for failure_plan, row in outcome.failures),
    )
    db.execute(
        "UPDATE jobs SET status = ?, completed = ?, failed = ?, content = NULL WHERE seq = ?",
        (
            "cancelled" if is_cancelled else "complete",
            outcome.applied_rows,
            len(outcome.failures) + outcome.silent_failures,
            job.seq,
        ),
    )


def _apply_rows(db: sqlite3.Connection, account_id: str, rules: Rules, due_job: _DueJob) -> ImportOutcome:
    rows, now = due_job.rows[: due_job.script.cancelled_after], int(due_job.job.ends_at)
    profile_index = load_matching_profiles(db, account_id, rules, rows, now)
    planned_failures = {failure.index: failure for failure in due_job.script.row_failures}
    silent_indexes = _choose_silent_failures(len(rows), due_job.script.silent_failures, planned_failures)
    outcome = ImportOutcome(silent_failures=len(silent_indexes))
    for index, row in enumerate(rows):
        if index in silent_indexes:
            continue
        if failure_plan := planned_failures.get(index):
            outcome.failures.append((failure_plan, row))
            continue
        match profile_index.apply_row(row, now):
            case RowFailure(code, name, detail):
                outcome.failures.append((RowFailurePlan(index, code, name, detail, "attributes"), row))
            case profile:
                outcome.profiles[profile.seq] = profile
                outcome.applied_rows += 1
    return outcome


def _choose_silent_failures(total: int, count: int, failed_indexes: Iterable[int]) -> set[int]:
    excluded = set(failed_indexes)
    candidates = [index for index in range(total) if index not in excluded]
    return set(candidates[-count:]) if count else set()


def _import_error_values(
    job: StoredJob, failure_plan: RowFailurePlan, row: Mapping[str, Any]
) -> tuple[Any, ...]:
    payloads = {
        "resource": row,
        "attributes": {**row["attributes"], **({"id": row["id"]} if row.get("id") else {})},
    }
    payload = payloads.get(failure_plan.payload)
    resource_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job.id}/{failure_plan.index}"))
    pointer = "/data/id" if failure_plan.field == "id" else f"/data/attributes/{failure_plan.field}"
    return (
        job.seq,
        resource_id,
        failure_plan.code,
        title_of(400),
        failure_plan.detail,
        pointer,
        None if payload is None else orjson.dumps(payload),
    )
