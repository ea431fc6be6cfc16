"""Decide what to send after Klaviyo refused an import. Pure.

Klaviyo refuses a whole request because of one bad row, and points at the rows at fault. Those rows are
rejected and the others are sent again. If too many rows fail for the same reason, the fault is not in the
rows, and the list stops. After five rounds the batch is split in half until the bad rows are alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.formatting import end_sentence
from reverse_etl.klaviyo.batching import Batch, exclude_rows, split_in_half

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.klaviyo.imports import RowError

ROUNDS_BEFORE_HALVING = 5


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


def _first_detail(errors: Mapping[int, RowError]) -> str:
    return next((error.detail for error in errors.values()), "It gave no reason.")
