"""Decide what an import job proves of its rows. Pure, except for reading the job's errors.

A job that is complete proves its rows only if its counts add up and its errors name every row that failed.
Anything less leaves them unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reverse_etl.delivery.pending_rows import SentRow
from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import (
    Receipt,
    ReceiptState,
    RowException,
    RowExceptionKind,
    as_unknown,
)
from reverse_etl.errors import UnusableReply
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.imports import Job, JobRowError, JobStatus, RowError


@dataclass(frozen=True)
class JobResult:
    """A receipt in its new state, with the rows that were refused.

    `stop_reason`: why to send nothing more to the list. `job_status`: the status of a job that has not ended.
    """

    receipt: Receipt
    row_exceptions: tuple[RowException, ...] = ()
    stop_reason: str = ""
    job_status: str = ""


@dataclass(frozen=True)
class NamedRows:
    """The rows that a job's errors name, by number, each with its first error; `unnamed` errors name none."""

    errors_by_seq: Mapping[int, RowError]
    unnamed: int


ReadRows = Callable[[Receipt], Iterable[SentRow]]
ReadErrors = Callable[[str], Iterable[JobRowError]]


def evaluate_job(
    receipt: Receipt, job: Job | None, read_errors: ReadErrors, read_rows: ReadRows
) -> JobResult:
    """Return what a job proves that has ended, or that is not waited for any longer.

    A job that Klaviyo no longer knows, with a status other than complete, or with counts that are impossible
    proves nothing; neither does one whose errors cannot be read. An error proves that its row is not applied,
    whatever the counts are; only if they confirm it, the row is rejected. If the job may have a duplicate,
    its refused rows are unknown.
    """
    if job is None:
        return _unknown_result(receipt, "Klaviyo no longer knows the import job.")
    if job.status is not JobStatus.COMPLETE:
        return _unknown_result(receipt, _describe_status(job))
    if (problem := _find_count_problem(receipt, job)) is not None:
        return _unknown_result(receipt, f"The import job's counts do not add up: {problem}.")
    try:
        errors = [*read_errors(job.id)]
        named = match_errors_to_rows(errors, read_rows(receipt) if errors else ())
    except UnusableReply as error:
        return _unknown_result(receipt, f"The import job's errors could not be read. {error}")
    return _evaluate_errors(receipt, named, job.failed or 0)


def _describe_status(job: Job) -> str:
    match job.status:
        case JobStatus.UNKNOWN:
            return f"The import job's status is {job.status_text!r}, which reverse-etl does not know."
        case JobStatus.QUEUED | JobStatus.PROCESSING:
            return f"The import job did not end: its status is still {job.status.value!r}."
        case _:
            return f"The import job was {job.status.value}."


def _find_count_problem(receipt: Receipt, job: Job) -> str | None:
    """Return the counts of a job if they are impossible, or None.

    Some jobs count failed rows as completed.
    """
    total, completed, failed = job.total, job.completed, job.failed
    if total is None or completed is None or failed is None:
        return "not all of them are whole numbers"
    possible = total == receipt.rows and 0 <= failed <= total and completed in {total, total - failed}
    if possible:
        return None
    rows = format_count(receipt.rows, "row")
    return f"{completed} completed and {failed} failed of {total}, for {rows} sent"


def _evaluate_errors(receipt: Receipt, named: NamedRows, failed: int) -> JobResult:
    errors = named.errors_by_seq
    if len(errors) > failed:  # the counts contradict the errors
        kind, stop_reason = RowExceptionKind.UNKNOWN, ""
    elif (failure := find_systematic_failure([*errors.values()], receipt.rows)) is not None:
        kind, stop_reason = RowExceptionKind.NOT_SENT, failure
    else:
        kind, stop_reason = RowExceptionKind.REJECTED, ""
    row_exceptions = tuple(make_row_exception(seq, error, kind) for seq, error in sorted(errors.items()))
    row_exceptions = as_unknown(row_exceptions) if receipt.may_have_duplicate else row_exceptions
    rest = receipt.rows - len(row_exceptions)
    if len(errors) < failed or named.unnamed:
        why = f"{format_count(failed, 'row')} failed, and Klaviyo's errors name {len(errors)} of them."
        return JobResult(
            replace(receipt, state=ReceiptState.UNKNOWN, rows=rest, detail=why), row_exceptions, stop_reason
        )
    return JobResult(replace(receipt, state=ReceiptState.APPLIED, rows=rest), row_exceptions, stop_reason)


def match_errors_to_rows(errors: Iterable[JobRowError], rows: Iterable[SentRow]) -> NamedRows:
    """Return the rows that errors name. An error that fits no row, or several, names none."""
    job_errors = [*errors]
    seq_by_identifier = _index_rows(rows) if job_errors else {}
    errors_by_seq: dict[int, RowError] = {}
    unnamed = 0
    for error in job_errors:
        seq = _find_named_row(error, seq_by_identifier)
        if seq is None:
            unnamed += 1
        else:
            errors_by_seq.setdefault(seq, error.error)
    return NamedRows(errors_by_seq, unnamed)


def _index_rows(rows: Iterable[SentRow]) -> Mapping[tuple[IdentifierType, str], int | None]:
    """Return the number of the row with an identifier; None if several rows have it."""
    seq_by_identifier: dict[tuple[IdentifierType, str], int | None] = {}
    for row in rows:
        for kind, value in row.identifiers.items():
            if value is not None:
                seq_by_identifier[kind, value] = None if (kind, value) in seq_by_identifier else row.seq
    return seq_by_identifier


def _find_named_row(
    error: JobRowError, seq_by_identifier: Mapping[tuple[IdentifierType, str], int | None]
) -> int | None:
    identifiers: Sequence[tuple[IdentifierType, str | None]] = (
        (IdentifierType.PROFILE_ID, error.id),
        (IdentifierType.EMAIL, error.email),
        (IdentifierType.PHONE, error.phone_number),
        (IdentifierType.EXTERNAL_ID, error.external_id),
    )
    seqs = {seq_by_identifier.get((kind, value)) for kind, value in identifiers if value is not None} - {None}
    return seqs.pop() if len(seqs) == 1 else None


def _unknown_result(receipt: Receipt, why: str) -> JobResult:
    return JobResult(replace(receipt, state=ReceiptState.UNKNOWN, detail=why))
