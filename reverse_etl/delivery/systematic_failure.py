"""Recognize refusals that are not the fault of single rows, but of the model or the account. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reverse_etl.errors import FailureReason
from reverse_etl.formatting import end_sentence, format_count

if TYPE_CHECKING:
    from reverse_etl.klaviyo.imports import RowError

SYSTEMATIC_FAILURE_ROWS = 100
SYSTEMATIC_FAILURE_SHARE = 0.1
SYSTEMATIC_FAILURE_ALL_ROWS = 20


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
    return FailureReason.refusal(
        f"Klaviyo refused {count:,} of {format_count(size, 'row')} of one request for the same reason, so "
        f"the cause is the model or the account ({code_and_field}). {end_sentence(detail)}"
    )
