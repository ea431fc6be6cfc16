"""Wait for import jobs, for a bounded time.

A run waits for the destination's job timeout, but not for a job that is older than two of them. A job that
has not ended by then stays accepted and blocks its list. A day after its creation, it proves nothing any
more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.delivery.imports.import_results import JobResult, ReadRows, evaluate_job
from reverse_etl.domain.progress import Warned
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.errors import UnusableReply
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.imports import Job, JobStatus

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.domain.receipts import Receipt
    from reverse_etl.klaviyo.imports import JobRowError

FIRST_WAIT, MAX_WAIT, WAIT_GROWTH = 0.2, 5.0, 1.5
UNLISTED_SECONDS = 60.0  # a job that is not listed for so long is asked for by its id
UNKNOWN_STATUS_SECONDS = 600.0  # a job with a status that nobody knows may have ended long ago
MAX_JOB_AGE = timedelta(days=1)  # Klaviyo forgets a job after seven days
UNREADABLE_STATUS = "unreadable"

OnOpenJobs = Callable[[int], None]


def ignore_open_jobs(jobs: int) -> None:
    """Accept the number of open jobs, and do nothing."""
    del jobs


def poll_jobs(
    context: DeliveryContext,
    receipts: Sequence[Receipt],
    since: datetime,
    read_rows: ReadRows,
    on_open_jobs: OnOpenJobs = ignore_open_jobs,
) -> Iterator[JobResult]:
    """Yield each accepted receipt once, as its job ends.

    Receipts whose job has not ended in time stay accepted. Polls many jobs with one request, at growing
    intervals, and renews the lease meanwhile. `since` is before the first of the jobs; `read_rows` reads the
    rows of a range; `on_open_jobs` is called with the number of open jobs.
    """
    if not receipts:
        return
    open_jobs: dict[str, Job | None] = {receipt.job_id or "": None for receipt in receipts}
    receipts_by_job = {receipt.job_id or "": receipt for receipt in receipts}
    for waited in _poll_schedule(context):
        on_open_jobs(len(open_jobs))
        for job_id, job in _fetch_jobs(context, frozenset(open_jobs), since, waited).items():
            if job is not None and _is_open(context, job, waited):
                open_jobs[job_id] = job
                continue
            del open_jobs[job_id]
            receipt = receipts_by_job[job_id]
            yield evaluate_job(receipt, job, partial(_read_errors, context), read_rows)
        if not open_jobs:
            on_open_jobs(0)
            return
        if all(job is not None and _is_overdue(context, job, waited) for job in open_jobs.values()):
            break
    for job_id, job in open_jobs.items():
        yield JobResult(receipts_by_job[job_id], job_status=job.status_text if job else "not listed")


def wait_for_open_jobs(
    context: DeliveryContext,
    since: datetime,
    known_job_ids: frozenset[str] = frozenset(),
    on_open_jobs: OnOpenJobs = ignore_open_jobs,
) -> bool:
    """Wait until all imports created between `since` and now have ended. Returns whether they have.

    Call it after a lost reply: the import that may exist must not be applied after later requests. Its job id
    is unknown, so all imports of that time are waited for, except `known_job_ids`, which have receipts; later
    ones belong to other apps. A day after `since` nothing is waited for. Renews the lease meanwhile.
    """
    until = None
    if context.klaviyo.server_time - since > MAX_JOB_AGE:
        return True
    for waited in _poll_schedule(context):
        jobs = _list_jobs(context, since)
        until = until or context.klaviyo.server_time + CLOCK_SKEW_TOLERANCE
        open_jobs = [
            job
            for job in jobs or ()
            if job.id not in known_job_ids
            and _is_open(context, job, waited)
            and (job.created_at is None or job.created_at <= until)
        ]
        on_open_jobs(len(open_jobs))
        if jobs is not None and not open_jobs:
            return True
        if jobs is not None and all(_is_overdue(context, job, waited) for job in open_jobs):
            return False
    return False


def _age(context: DeliveryContext, job: Job, waited: float) -> float:
    """Return the seconds since a job was created, or those that it was waited for, if that is more."""
    if job.created_at is None:
        return waited
    return max(waited, (context.klaviyo.server_time - job.created_at).total_seconds())


def _is_open(context: DeliveryContext, job: Job, waited: float) -> bool:
    """Return whether a job may still change, and counts."""
    if job.status.ended:
        return False
    age = _age(context, job, waited)
    return age <= (UNKNOWN_STATUS_SECONDS if job.status is JobStatus.UNKNOWN else MAX_JOB_AGE.total_seconds())


def _is_overdue(context: DeliveryContext, job: Job, waited: float) -> bool:
    """Return whether a job is not waited for any longer in this run, although it is open."""
    return _age(context, job, waited) > 2 * context.job_timeout_seconds


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
    context: DeliveryContext, job_ids: frozenset[str], since: datetime, waited: float
) -> dict[str, Job | None]:
    """Return those of the jobs that are found; None for a job that Klaviyo has forgotten."""
    listed = _list_jobs(context, since, job_ids)
    jobs: dict[str, Job | None] = {job.id: job for job in listed or ()}
    if listed is not None and waited <= UNLISTED_SECONDS:
        return jobs
    for job_id in sorted(job_ids - jobs.keys()):
        job = _fetch_job(context, job_id)
        if job is not None or waited > UNLISTED_SECONDS:  # a new job may not be found yet
            jobs[job_id] = job
    return jobs


def _list_jobs(
    context: DeliveryContext, since: datetime, job_ids: frozenset[str] | None = None
) -> list[Job] | None:
    """Return the jobs created since then, or None if Klaviyo's listing cannot be read.

    With `job_ids` only these, and no more pages than they need.
    """
    jobs: list[Job] = []
    try:
        for job in context.klaviyo.get_jobs_since(since - CLOCK_SKEW_TOLERANCE):
            context.state.renew_lease_if_due()
            if job_ids is None or job.id in job_ids:
                jobs.append(job)
                if job_ids is not None and len(jobs) == len(job_ids):
                    break
    except UnusableReply:
        return None
    return jobs


def _fetch_job(context: DeliveryContext, job_id: str) -> Job | None:
    try:
        job = context.klaviyo.get_job(job_id)
    except UnusableReply:
        return Job(job_id, JobStatus.UNKNOWN, None, None, None, None, UNREADABLE_STATUS)
    return job and replace(job, id=job_id)


def _read_errors(context: DeliveryContext, job_id: str) -> Iterator[JobRowError]:
    for error in context.klaviyo.get_job_errors(job_id):
        context.state.renew_lease_if_due()
        yield error


def warn_of_unknown_rows(context: DeliveryContext, name: str, result: JobResult) -> None:
    """Report why the rows of an import job are unknown; `name` is that of their list or model."""
    if result.receipt.state is ReceiptState.UNKNOWN and result.receipt.rows:
        rows = format_count(result.receipt.rows, "row")
        context.on_progress(
            Warned(f"{name}: {rows} unknown. {result.receipt.detail} The next run sends them again.")
        )
