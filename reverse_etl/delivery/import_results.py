"""Settle: follow import jobs to their end, and say of each row what came of it.

A job that is complete proves its rows only if its counts add up and every failed row is named by an error.
Anything less is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.import_bisect import mass_fault
from reverse_etl.delivery.pending_rows import SentRow
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import TWIN, Receipt, ReceiptState, Refusal, RefusalKind, in_doubt
from reverse_etl.domain.timestamps import GRACE
from reverse_etl.formatting import counted
from reverse_etl.klaviyo.imports import Job, JobRowError, JobStatus, RowError

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.context import At
    from reverse_etl.klaviyo.api import Klaviyo


FIRST_WAIT, MOST_WAIT, WAIT_GROWTH = 0.2, 5.0, 1.5


UNLISTED_SECONDS = 60.0  # a job that is not listed for so long is asked for by its id


@dataclass(frozen=True)
class Settled:
    """A receipt in its new state, with the rows that were refused.

    `stop`: why to send nothing more to the list.
    """

    receipt: Receipt
    refusals: tuple[Refusal, ...] = ()
    stop: str = ""


ReadRows = Callable[[Receipt], Iterable[SentRow]]


def settle(
    at: At, receipts: Sequence[Receipt], since: datetime, rows_of: ReadRows, tell: Callable[[int], None]
) -> Iterator[Settled]:
    """Yield each accepted receipt once, as its job ends.

    Those whose job has not ended after `at.job_seconds` stay accepted.

    Asks for many jobs at once, at growing distances. `since` is before the first of the jobs; `rows_of` reads
    the rows of a range.
    """
    waiting = {receipt.job or "": receipt for receipt in receipts}
    if not waiting:
        return
    for waited in _asks(at):
        tell(len(waiting))
        jobs = _jobs(at.klaviyo, waiting, since, alone=waited > UNLISTED_SECONDS)
        for job_id, job in jobs.items():
            if job is None or job.status.ended:
                yield judge(waiting.pop(job_id), job, at.klaviyo.job_errors, rows_of)
        if not waiting:
            tell(0)
            return
    yield from (Settled(receipt) for receipt in waiting.values())


def judge(
    receipt: Receipt, job: Job | None, errors_of: Callable[[str], Iterable[JobRowError]], rows_of: ReadRows
) -> Settled:
    """Say what an ended job proves.

    A job that Klaviyo forgot, cancelled, or counted wrongly proves nothing. What one refuses that may have a
    twin is in doubt.
    """
    if job is None:
        return _unknown(receipt, "Klaviyo no longer knows the job.")
    if job.status is not JobStatus.COMPLETE:
        return _unknown(receipt, f"The job was {job.status.value}.")
    if job.failed == 0 and job.completed == job.total == receipt.rows:
        return Settled(replace(receipt, state=ReceiptState.APPLIED))
    if job.total != receipt.rows or job.completed not in {job.total, job.total - job.failed}:
        done = f"{job.completed} completed and {job.failed} failed of {job.total}"
        counts = f"{done}, for {counted(receipt.rows, 'row')} sent"
        return _unknown(receipt, f"The job's counts do not add up: {counts}.")
    named = name_rows(errors_of(job.id), rows_of(receipt))
    if (fault := mass_fault([*named.values()], receipt.rows)) is not None:
        kind, stop = RefusalKind.NOT_SENT, fault
    else:
        kind, stop = RefusalKind.REJECTED, ""
    refusals = tuple(Refusal(seq, kind, e.code, e.field, e.detail) for seq, e in sorted(named.items()))
    refusals = in_doubt(refusals) if receipt.detail == TWIN else refusals
    rest = receipt.rows - len(refusals)
    if len(named) < job.failed:
        why = f"{counted(job.failed, 'row')} failed, and Klaviyo's errors name {len(named)} of them."
        return Settled(replace(receipt, state=ReceiptState.UNKNOWN, rows=rest, detail=why), refusals, stop)
    return Settled(replace(receipt, state=ReceiptState.APPLIED, rows=rest), refusals, stop)


def name_rows(errors: Iterable[JobRowError], rows: Iterable[SentRow]) -> dict[int, RowError]:
    """Return the numbers of the rows that errors name, each with its first error.

    An error that fits no single row names none.
    """
    found = [*errors]
    numbers: dict[tuple[IdentifierType, str], int | None] = {}
    for row in rows:
        for kind, value in row.identifiers.items():
            if value is not None:
                numbers[kind, value] = None if (kind, value) in numbers else row.seq
    named: dict[int, RowError] = {}
    for error in found:
        sent = (
            (IdentifierType.PROFILE_ID, error.id),
            (IdentifierType.EMAIL, error.email),
            (IdentifierType.PHONE, error.phone_number),
            (IdentifierType.EXTERNAL_ID, error.external_id),
        )
        seqs = [numbers.get((kind, value)) for kind, value in sent if value is not None]
        seq = next((seq for seq in seqs if seq is not None), None)
        if seq is not None:
            named.setdefault(seq, error.error)
    return named


def wait_for_open_jobs(at: At, since: datetime, tell: Callable[[int], None]) -> bool:
    """Wait until the imports created since then and up to now have ended. Returns whether they have.

    For a lost reply: an import that nobody knows by name must not be applied after what is sent next. Whose
    it is can't be told, but one that is created from now on is not ours: other apps may import all the time.
    """
    until = None
    for _ in _asks(at):
        jobs = [*at.klaviyo.jobs_since(since - GRACE)]
        until = until or at.klaviyo.server_time + GRACE
        count = sum(not job.status.ended and job.created_at <= until for job in jobs)
        tell(count)
        if not count:
            return True
    return False


def _asks(at: At) -> Iterator[float]:
    """Yield the seconds waited so far, at growing distances, as long as the run waits for jobs."""
    begun, pause = at.clock.monotonic(), FIRST_WAIT
    while True:
        yield at.clock.monotonic() - begun
        if at.clock.monotonic() - begun > at.job_seconds:
            return
        at.clock.sleep(pause)
        pause = min(pause * WAIT_GROWTH, MOST_WAIT)


def _jobs(
    klaviyo: Klaviyo, waiting: Mapping[str, Receipt], since: datetime, *, alone: bool
) -> dict[str, Job | None]:
    found: dict[str, Job | None] = {}
    for job in klaviyo.jobs_since(since - GRACE):
        if job.id in waiting:
            found[job.id] = job
            if len(found) == len(waiting):
                break
    missing = waiting.keys() - found.keys() if alone else ()
    return found | {job_id: klaviyo.job(job_id) for job_id in sorted(missing)}


def _unknown(receipt: Receipt, why: str) -> Settled:
    return Settled(replace(receipt, state=ReceiptState.UNKNOWN, detail=why))
