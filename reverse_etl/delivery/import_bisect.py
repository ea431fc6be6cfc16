"""Take a refused import apart.

Klaviyo refuses a request whole for one bad row, and points at the rows it found. Pure. Rows that are pointed
at are refused and the rest is sent again. When so many are refused for one reason that the fault can't be the
rows', everything stops. When five rounds were not enough, the batch is halved until the bad rows stand alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import end_sentence, format_count
from reverse_etl.klaviyo.batching import Batch, exclude_rows, split_in_half

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.imports import RowError

ROUNDS_BEFORE_HALVING = 5
SYSTEMATIC_FAILURE_ROWS = 100
SYSTEMATIC_FAILURE_SHARE = 0.1


@dataclass(frozen=True)
class RetryBatches:
    """Send `batches` (none, one, or two halves) next.

    `rejected` are the numbers of the rows at fault, with Klaviyo's word.
    """

    batches: tuple[Batch, ...]
    rejected: Mapping[int, RowError]


@dataclass(frozen=True)
class AbortList:
    """The fault is the model's or the account's.

    Nothing of this list is sent any more, and no row is rejected.
    """

    reason: str


def bisect_rejected(
    batch: Batch, errors: Mapping[int, RowError], rounds: int, size: int
) -> RetryBatches | AbortList:
    """Say what to do after a refusal.

    `errors` are by index in `batch`, `rounds` counts the refusals so far, `size` is how many rows the batch
    had at first.
    """
    row_errors = {index: error for index, error in errors.items() if 0 <= index < len(batch)}
    if not row_errors:
        return AbortList(
            "Klaviyo refused the request, and pointed at no row that was in it. "
            f"{end_sentence(_first_detail(errors))}"
        )
    if (reason := find_systematic_failure([*row_errors.values()], size)) is not None:
        return AbortList(reason)
    if rounds > ROUNDS_BEFORE_HALVING and len(batch) > 1:
        return RetryBatches(split_in_half(batch), {})
    rest, _ = exclude_rows(batch, row_errors)
    return RetryBatches(
        (rest,) if rest else (), {batch.seqs[index]: error for index, error in row_errors.items()}
    )


def find_systematic_failure(errors: list[RowError], size: int) -> str | None:
    """Return why so many refusals can't be the rows' fault.

    Over 10 % and over 100 of `size` rows with one code and field.
    """
    if not errors:
        return None
    (code, field), count = Counter((error.code, error.field) for error in errors).most_common(1)[0]
    if count <= SYSTEMATIC_FAILURE_ROWS or count <= SYSTEMATIC_FAILURE_SHARE * size:
        return None
    detail = next(error.detail for error in errors if (error.code, error.field) == (code, field))
    code_and_field = f"{code} at {field}" if field else code
    return (
        f"Klaviyo refused {count:,} of {format_count(size, 'row')} of one request for the same reason, "
        f"which can't be the rows' ({code_and_field}). {end_sentence(detail)}"
    )


def _first_detail(errors: Mapping[int, RowError]) -> str:
    return next((error.detail for error in errors.values()), "No error was given.")
