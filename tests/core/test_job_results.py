"""Rules: row or request; proof of rows. A reply or a job, compared with the rows that were sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.imports.import_bisect import (
    AbortList,
    RetryBatches,
    bisect_rejected,
)
from reverse_etl.delivery.imports.import_results import NamedRows, evaluate_job, match_errors_to_rows
from reverse_etl.delivery.pending_rows import SentRow
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowExceptionKind
from reverse_etl.klaviyo.batching import Batch, import_envelope
from reverse_etl.klaviyo.imports import Job, JobRowError, JobStatus, RowError

if TYPE_CHECKING:
    from typing import Any

SENT = Receipt("L", Op.ADD, 1, 3, ReceiptState.ACCEPTED, 3, "J")


AT = datetime(2026, 1, 1, tzinfo=UTC)


ANN, BOB, CAT = (SentRow(n, {IdentifierType.EMAIL: f"{n}@example.com"}) for n in (1, 2, 3))


def error(**named: Any) -> JobRowError:
    """Return the error of a row that names these identifiers."""
    blank = dict.fromkeys(("email", "phone_number", "external_id", "id"))
    return JobRowError(RowError("invalid", "email", "no"), **{**blank, **named})


@pytest.mark.parametrize(
    ("job", "errors", "state", "refused"),
    [
        (("complete", 3, 3, 0), [], ReceiptState.APPLIED, []),
        (("complete", 3, 2, 1), [error(email="2@example.com")], ReceiptState.APPLIED, [2]),
        # Some count failed rows as completed.
        (("complete", 3, 3, 1), [error(email="2@example.com")], ReceiptState.APPLIED, [2]),
        (("complete", 3, 2, 1), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, 1, 2), [error(email="2@example.com")], ReceiptState.UNKNOWN, [2]),
        (("complete", 3, 2, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 2, 2, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 4, 4, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 0, 0, 0), [], ReceiptState.UNKNOWN, []),
        (("cancelled", 3, 3, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, -1, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, 4, -1), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, -1, 4), [error(email="2@example.com")], ReceiptState.UNKNOWN, []),
        (("complete", None, 3, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, None, 0), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, 3, None), [], ReceiptState.UNKNOWN, []),
        (("complete", 3, 3, 0), [error()], ReceiptState.UNKNOWN, []),
        (("complete", 3, 2, 1), [error(email="2@example.com"), error()], ReceiptState.UNKNOWN, [2]),
    ],
)
def test_a_job_proves_its_rows_only_if_its_counts_add_up(
    job: tuple[str, int | None, int | None, int | None],
    errors: list[JobRowError],
    state: ReceiptState,
    refused: list[int],
) -> None:
    """Complete, counted and every failure named: anything less is unknown."""
    status, total, completed, failed = job
    settled = evaluate_job(
        SENT,
        Job("J", JobStatus(status), total, completed, failed, AT, status),
        lambda _: errors,
        lambda _: [ANN, BOB, CAT],
    )
    assert settled.receipt.state is state
    assert [refusal.seq for refusal in settled.row_exceptions] == refused
    assert all(refusal.kind is RowExceptionKind.REJECTED for refusal in settled.row_exceptions)
    assert settled.receipt.rows == 3 - len(refused)


@pytest.mark.parametrize("failed", [0, 1])
def test_more_errors_than_failures_leave_their_rows_unknown(failed: int) -> None:
    """The counts and the errors contradict each other: those rows are neither applied nor rejected."""
    errors = [error(email="1@example.com"), error(email="2@example.com")]
    job = Job("J", JobStatus.COMPLETE, 3, 3 - failed, failed, AT, "complete")
    settled = evaluate_job(SENT, job, lambda _: errors, lambda _: [ANN, BOB, CAT])
    assert [(row_exception.seq, row_exception.kind) for row_exception in settled.row_exceptions] == [
        (1, RowExceptionKind.UNKNOWN),
        (2, RowExceptionKind.UNKNOWN),
    ]
    assert (settled.receipt.state, settled.receipt.rows) == (ReceiptState.APPLIED, 1)


def test_a_job_unknown_to_klaviyo_proves_nothing() -> None:
    assert evaluate_job(SENT, None, lambda _: [], lambda _: []).receipt.state is ReceiptState.UNKNOWN


def test_an_error_that_matches_two_rows_is_assigned_to_neither() -> None:
    """A guess would reject the wrong row and call the other applied."""
    rows = [
        SentRow(1, {IdentifierType.EXTERNAL_ID: "7"}),
        SentRow(2, {IdentifierType.EXTERNAL_ID: "7"}),
    ]
    assert match_errors_to_rows([error(external_id="7")], rows) == NamedRows({}, 1)
    assert match_errors_to_rows([error()], rows) == NamedRows({}, 1)
    assert match_errors_to_rows([error(email="9@example.com")], [ANN]) == NamedRows({}, 1)
    assert match_errors_to_rows([error(email="1@example.com", external_id="9")], [ANN]).unnamed == 0
    pair = [
        SentRow(n, {IdentifierType.EMAIL: f"{n}@example.com", IdentifierType.EXTERNAL_ID: f"{n}"})
        for n in (1, 2)
    ]
    assert match_errors_to_rows([error(email="1@example.com", external_id="2")], pair) == NamedRows({}, 1)


def batch(count: int) -> Batch:
    """Return a batch of so many rows, numbered from 100."""
    return Batch.of(list(range(100, 100 + count)), [b"{}"] * count, import_envelope())


WRONG = RowError("invalid", "email", "no")


@pytest.mark.parametrize(
    ("count", "bad", "rounds", "sent", "refused"),
    [
        (3, [1], 1, [[100, 102]], [101]),
        (1, [0], 1, [], [100]),
        (4, [3], 5, [[100, 101, 102]], [103]),
        (4, [3], 6, [[100, 101], [102, 103]], []),  # after five rounds: halves
        (1, [0], 9, [], [100]),  # a single row is the bad one
        (3, [1, 7], 1, [[100, 102]], [101]),  # a pointer at no row of ours says nothing
    ],
)
def test_a_refused_batch_is_bisected(
    count: int, bad: list[int], rounds: int, sent: list[list[int]], refused: list[int]
) -> None:
    """Rows that are pointed at are out; the rest is sent again; after five rounds the batch is halved."""
    apart = bisect_rejected(batch(count), dict.fromkeys(bad, WRONG), rounds, count)
    assert isinstance(apart, RetryBatches)
    assert [[*piece.seqs] for piece in apart.batches] == sent
    assert sorted(apart.rejected) == refused


def test_a_refusal_that_points_at_none_of_our_rows_rejects_no_row() -> None:
    assert isinstance(bisect_rejected(batch(3), {7: WRONG}, 1, 3), AbortList)


@pytest.mark.parametrize(
    ("refused", "size", "fault"),
    [(100, 200, False), (101, 200, True), (101, 1_010, False), (102, 1_010, True)],
)
def test_over_a_tenth_and_over_a_hundred_for_one_reason_reject_no_row(
    refused: int, size: int, fault: bool
) -> None:
    """Both bounds count: a hundred odd rows of a million are odd rows."""
    assert (find_systematic_failure([WRONG] * refused, size) is not None) is fault


def test_many_refusals_for_different_reasons_reject_their_rows() -> None:
    """One code and one field make a fault of the model; many of each make a mess of data."""
    errors = [RowError("invalid", f"field{n % 3}", "no") for n in range(240)]
    assert find_systematic_failure(errors, 300) is None


def test_all_of_twenty_rows_for_one_reason_are_nobodys_own_fault() -> None:
    """Nineteen may all be bad; twenty are the model's fault."""
    assert find_systematic_failure([WRONG] * 19, 19) is None
    assert find_systematic_failure([WRONG] * 20, 20) is not None
    assert find_systematic_failure([WRONG] * 20, 21) is None
