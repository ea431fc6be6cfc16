"""Settle: follow import jobs to their end, and say of each row what came of it.

A job that is complete proves its rows only if its counts add up and every failed row is named by an error.
Anything less is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.import_bisect import find_systematic_failure
from reverse_etl.delivery.pending_rows import SentRow
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import (
    Receipt,
    ReceiptState,
    RowException,
    RowExceptionKind,
    as_unknown,
)
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.imports import Job, JobRowError, JobStatus, RowError

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.klaviyo.api import Klaviyo


FIRST_WAIT, MAX_WAIT, WAIT_GROWTH = 0.2, 5.0, 1.5


UNLISTED_SECONDS = 60.0  # a job that is not listed for so long is asked for by its id


@dataclass(frozen=True)
class JobResult:
    """A receipt in its new state, with the rows that were refused.

    `stop_reason`: why to send nothing more to the list.
    """

    receipt: Receipt
    row_exceptions: tuple[RowException, ...] = ()
    stop_reason: str = ""


ReadRows = Callable[[Receipt], Iterable[SentRow]]


def _ignore_progress(jobs: int) -> None:
    del jobs


def poll_jobs(
    context: DeliveryContext,
    receipts: Sequence[Receipt],
    since: datetime,
    read_rows: ReadRows,
    on_progress: Callable[[int], None] = _ignore_progress,
) -> Iterator[JobResult]:
    """Yield each accepted receipt once, as its job ends.

    Receipts whose job has not ended after `context.job_timeout_seconds` stay accepted. Polls many jobs with
    one request, at growing intervals, and renews the lease meanwhile. `since` is before the first of the
    jobs; `read_rows` reads the rows of a range; `on_progress` is called with the number of open jobs.
    """
    waiting = {receipt.job_id or "": receipt for receipt in receipts}
    if not waiting:
        return
    for waited in _poll_schedule(context):
        on_progress(len(waiting))
        jobs = _fetch_jobs(context.klaviyo, waiting, since, fetch_unlisted=waited > UNLISTED_SECONDS)
        for job_id, job in jobs.items():
            if job is None or job.status.ended:
                yield evaluate_job(waiting.pop(job_id), job, context.klaviyo.get_job_errors, read_rows)
        if not waiting:
            on_progress(0)
            return
    yield from (JobResult(receipt) for receipt in waiting.values())


def evaluate_job(
    receipt: Receipt,
    job: Job | None,
    read_errors: Callable[[str], Iterable[JobRowError]],
    read_rows: ReadRows,
) -> JobResult:
    """Return what an ended job proves.

    A job that Klaviyo no longer knows, cancelled, or counted wrongly proves nothing. If the job may have a
    duplicate, its refused rows are unknown.
    """
    if job is None:
        return _unknown_result(receipt, "Klaviyo no longer knows the job.")
    if job.status is not JobStatus.COMPLETE:
        return _unknown_result(receipt, f"The job was {job.status.value}.")
    if job.failed == 0 and job.completed == job.total == receipt.rows:
        return JobResult(replace(receipt, state=ReceiptState.APPLIED))
    if job.total != receipt.rows or job.completed not in {job.total, job.total - job.failed}:
        done = f"{job.completed} completed and {job.failed} failed of {job.total}"
        counts = f"{done}, for {format_count(receipt.rows, 'row')} sent"
        return _unknown_result(receipt, f"The job's counts do not add up: {counts}.")
    errors_by_seq = match_errors_to_rows(read_errors(job.id), read_rows(receipt))
    if (failure := find_systematic_failure([*errors_by_seq.values()], receipt.rows)) is not None:
        kind, stop_reason = RowExceptionKind.NOT_SENT, failure
    else:
        kind, stop_reason = RowExceptionKind.REJECTED, ""
    row_exceptions = tuple(
        RowException(seq, kind, error.code, error.field, error.detail)
        for seq, error in sorted(errors_by_seq.items())
    )
    row_exceptions = as_unknown(row_exceptions) if receipt.may_have_duplicate else row_exceptions
    rest = receipt.rows - len(row_exceptions)
    if len(errors_by_seq) < job.failed:
        failed = format_count(job.failed, "row")
        why = f"{failed} failed, and Klaviyo's errors name {len(errors_by_seq)} of them."
        return JobResult(
            replace(receipt, state=ReceiptState.UNKNOWN, rows=rest, detail=why), row_exceptions, stop_reason
        )
    return JobResult(replace(receipt, state=ReceiptState.APPLIED, rows=rest), row_exceptions, stop_reason)


def match_errors_to_rows(errors: Iterable[JobRowError], rows: Iterable[SentRow]) -> dict[int, RowError]:
    """Return the numbers of the rows that errors name, each with its first error.

    An error that fits no single row names none.
    """
    job_errors = [*errors]
    seq_by_identifier: dict[tuple[IdentifierType, str], int | None] = {}
    for row in rows:
        for kind, value in row.identifiers.items():
            if value is not None:
                seq_by_identifier[kind, value] = None if (kind, value) in seq_by_identifier else row.seq
    errors_by_seq: dict[int, RowError] = {}
    for error in job_errors:
        identifiers = (
            (IdentifierType.PROFILE_ID, error.id),
            (IdentifierType.EMAIL, error.email),
            (IdentifierType.PHONE, error.phone_number),
            (IdentifierType.EXTERNAL_ID, error.external_id),
        )
        seqs = [seq_by_identifier.get((kind, value)) for kind, value in identifiers if value is not None]
        seq = next((seq for seq in seqs if seq is not None), None)
        if seq is not None:
            errors_by_seq.setdefault(seq, error.error)
    return errors_by_seq


def wait_for_open_jobs(
    context: DeliveryContext, since: datetime, on_progress: Callable[[int], None] = _ignore_progress
) -> bool:
    """Wait until all imports created between `since` and now have ended. Returns whether they have.

    Call it after a lost reply: the import that may exist must not be applied after later requests. Its job id
    is unknown, so all imports of that time are waited for; later ones belong to other apps. Renews the lease
    meanwhile.
    """
    until = None
    for _ in _poll_schedule(context):
        jobs = [*context.klaviyo.get_jobs_since(since - CLOCK_SKEW_TOLERANCE)]
        until = until or context.klaviyo.server_time + CLOCK_SKEW_TOLERANCE
        count = sum(not job.status.ended and job.created_at <= until for job in jobs)
        on_progress(count)
        if not count:
            return True
    return False


def _poll_schedule(context: DeliveryContext) -> Iterator[float]:
    """Yield the seconds waited so far, at growing intervals, until the job timeout. Renews the lease."""
    started, pause = context.clock.monotonic(), FIRST_WAIT
    while True:
        context.state.renew_lease_if_due()
        yield context.clock.monotonic() - started
        if context.clock.monotonic() - started > context.job_timeout_seconds:
            return
        context.clock.sleep(pause)
        pause = min(pause * WAIT_GROWTH, MAX_WAIT)


def _fetch_jobs(
    klaviyo: Klaviyo, waiting: Mapping[str, Receipt], since: datetime, *, fetch_unlisted: bool
) -> dict[str, Job | None]:
    jobs: dict[str, Job | None] = {}
    for job in klaviyo.get_jobs_since(since - CLOCK_SKEW_TOLERANCE):
        if job.id in waiting:
            jobs[job.id] = job
            if len(jobs) == len(waiting):
                break
    missing = waiting.keys() - jobs.keys() if fetch_unlisted else ()
    return jobs | {job_id: klaviyo.get_job(job_id) for job_id in sorted(missing)}


def _unknown_result(receipt: Receipt, why: str) -> JobResult:
    return JobResult(replace(receipt, state=ReceiptState.UNKNOWN, detail=why))
