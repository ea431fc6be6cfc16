"""The effect of queued faults and of conflicting identifiers on an import request and its job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverse_etl.sandbox.faults import FaultKind, QueuedFault, count_strike
from reverse_etl.sandbox.jobs import JobRequest, JobScript, RowFailurePlan
from reverse_etl.sandbox.matching import CONFLICT_CODE, RowFailure
from reverse_etl.sandbox.profiles import load_matching_profiles
from reverse_etl.sandbox.replies import ErrorObject, HttpError
from reverse_etl.sandbox.validation import ROWS_POINTER

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from reverse_etl.sandbox.rules import Rules


def collect_row_errors(
    db: sqlite3.Connection, queued_faults: Sequence[QueuedFault], rows: list[dict[str, Any]]
) -> list[ErrorObject]:
    """Return the errors that faults add for valid rows, in the order of the rows, and count the faults."""
    errors: dict[int, ErrorObject] = {}
    for queued_fault in queued_faults:
        fault = queued_fault.fault
        indexes = fault.find_matching_rows(rows) if fault.kind is FaultKind.INVALID_ROWS else []
        if indexes:
            count_strike(db, queued_fault)
        for index in indexes:
            pointer = f"{ROWS_POINTER}/{index}/attributes/{fault.field}"
            errors.setdefault(index, ErrorObject(fault.detail, pointer, code=fault.code))
    return [errors[index] for index in sorted(errors)]


def collect_conflict_errors(
    db: sqlite3.Connection, account_id: str, rules: Rules, rows: Sequence[Mapping[str, Any]], now: float
) -> list[ErrorObject]:
    """Return an error for each row that has an identifier of another profile, if these refuse the request."""
    if rules.conflicts != "refuse_request":
        return []
    profile_index = load_matching_profiles(db, account_id, rules, rows, int(now))
    results = [profile_index.apply_row(row, int(now)) for row in rows]  # on copies that are not saved
    return [
        ErrorObject(result.detail, f"{ROWS_POINTER}/{index}/attributes/{result.field}", code=result.code)
        for index, result in enumerate(results)
        if isinstance(result, RowFailure) and result.code == CONFLICT_CODE
    ]


def find_request_refusal(
    db: sqlite3.Connection, queued_faults: Sequence[QueuedFault], rows: list[dict[str, Any]]
) -> HttpError | None:
    """Return the refusal of a whole request by a fault, without a pointer to a row, and count the fault."""
    for queued_fault in queued_faults:
        fault = queued_fault.fault
        if fault.kind is FaultKind.TOO_LARGE and len(rows) > fault.rows:
            count_strike(db, queued_fault)
            return HttpError(413, ErrorObject(fault.detail))
        if fault.kind is FaultKind.INVALID_REQUEST and fault.find_matching_rows(rows):
            count_strike(db, queued_fault)
            return HttpError(400, ErrorObject(fault.detail, code=fault.code))
    return None


def build_job_request(
    db: sqlite3.Connection,
    queued_faults: Sequence[QueuedFault],
    rows: list[dict[str, Any]],
    list_ids: tuple[str, ...],
) -> JobRequest:
    """Return what a job shall do, with the effect of faults, and count the faults."""
    job_request = JobRequest(rows, list_ids, build_job_script(db, queued_faults, rows))
    for queued_fault in queued_faults:
        match queued_fault.fault.kind:
            case FaultKind.STALL:
                job_request = replace(job_request, stalled=True)
            case FaultKind.FORGET:
                job_request = replace(job_request, forgotten_after=queued_fault.fault.seconds)
            case _:
                continue
        count_strike(db, queued_fault)
    return job_request


def build_job_script(
    db: sqlite3.Connection, queued_faults: Sequence[QueuedFault], rows: list[dict[str, Any]]
) -> JobScript:
    """Return the effect of faults on a job with these rows, and count the faults."""
    failure_plans: dict[int, RowFailurePlan] = {}
    silent_failures, cancelled_after = 0, None
    for queued_fault in queued_faults:
        fault = queued_fault.fault
        indexes = fault.find_matching_rows(rows) if fault.kind is FaultKind.REFUSE_ROWS else []
        for index in indexes:
            failure_plans.setdefault(
                index, RowFailurePlan(index, fault.code, fault.field, fault.detail, fault.payload)
            )
        if fault.kind is FaultKind.MISCOUNT:
            silent_failures = fault.rows
        if fault.kind is FaultKind.CANCEL:
            cancelled_after = fault.rows
        if indexes or fault.kind in {FaultKind.MISCOUNT, FaultKind.CANCEL}:
            count_strike(db, queued_fault)
    return JobScript(
        [failure_plans[index] for index in sorted(failure_plans)], silent_failures, cancelled_after
    )
