"""Decide what to send after Klaviyo refused an import. Pure.

Klaviyo refuses a whole request because of one bad row, and points at the rows at fault. Those rows are
rejected and the others are sent again. If too many rows fail for the same reason, the fault is not in the
rows, and the list stops. After five rounds the batch is split in half until the bad rows are alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import end_sentence, format_count
from reverse_etl.klaviyo.batching import Batch, exclude_rows, split_in_half

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.klaviyo.imports import RowError

ROUNDS_BEFORE_HALVING = 5
SYSTEMATIC_FAILURE_ROWS = 100
SYSTEMATIC_FAILURE_SHARE = 0.1
SYSTEMATIC_FAILURE_ALL_ROWS = 20


@dataclass(frozen=True)
class RetryBatches:
    """Send `batches` next: none, the rest, or two halves.

    `rejected` maps the numbers of the rows at fault to Klaviyo's errors.
    """

    batches: tuple[Batch, ...]
    rejected: Mapping[int, RowError]


@dataclass(frozen=True)
class AbortList:
    """The model or the account is at fault: stop the list and reject no row."""

    reason: str


def bisect_rejected(
    batch: Batch,
    errors: Mapping[int, RowError],
    rounds: int,
    size: int,
    earlier_errors: Sequence[RowError] = (),
) -> RetryBatches | AbortList:
    """Return what to do after a refusal.

    `errors` maps indexes in `batch` to errors, `rounds` counts the refusals so far, `size` is the number of
    rows of the original batch, `earlier_errors` are those of rows of it that were rejected before.
    """
    row_errors = {index: error for index, error in errors.items() if 0 <= index < len(batch)}
    if not row_errors:
        return AbortList(
            "Klaviyo refused the request without pointing at a row of it. "
            f"{end_sentence(_first_detail(errors))}"
        )
    if (reason := find_systematic_failure([*earlier_errors, *row_errors.values()], size)) is not None:
        return AbortList(reason)
    if rounds > ROUNDS_BEFORE_HALVING and len(batch) > 1:
        return RetryBatches(split_in_half(batch), {})
    rest, _ = exclude_rows(batch, row_errors)
    return RetryBatches(
        (rest,) if rest else (), {batch.seqs[index]: error for index, error in row_errors.items()}
    )


def find_systematic_failure(errors: list[RowError], size: int) -> str | None:
    """Return why the errors are not the fault of single rows, or None.

    That is so if over 10 % and over 100 of `size` rows have the same code and field, or all rows of at least
    20.
    """
    if not errors:
        return None
    (code, field), count = Counter((error.code, error.field) for error in errors).most_common(1)[0]
    many = count > SYSTEMATIC_FAILURE_ROWS and count > SYSTEMATIC_FAILURE_SHARE * size
    if not many and not count == size >= SYSTEMATIC_FAILURE_ALL_ROWS:
        return None
    detail = next(error.detail for error in errors if (error.code, error.field) == (code, field))
    code_and_field = f"{code} at {field}" if field else code
    return (
        f"Klaviyo refused {count:,} of {format_count(size, 'row')} of one request for the same reason, so "
        "the "
        f"cause is the model or the account ({code_and_field}). {end_sentence(detail)}"
    )


def _first_detail(errors: Mapping[int, RowError]) -> str:
    return next((error.detail for error in errors.values()), "It gave no reason.")
