"""The evidence of what came of each request: receipts for ranges of deltas, refusals for single rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


MAY_HAVE_DUPLICATE = "The reply to an earlier try was lost: another import may hold these rows too."


class ReceiptState(StrEnum):
    """What is known of a range of deltas.

    `accepted` is not applied: Klaviyo took the job and has not finished it. `unknown`: nobody here can say.
    `not_sent`: nothing of it was carried out.
    """

    APPLIED = "applied"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class RowExceptionKind(StrEnum):
    """Why one row of a range is not what the range's receipt says."""

    REJECTED = "rejected"  # Klaviyo, or its limits, refused the row itself
    NOT_SENT = "not_sent"  # refused with so many others that the fault is not the row's
    UNKNOWN = "unknown"  # refused, but an earlier try whose reply was lost may have carried it out
    HELD = "held"  # a removal not made: someone wanted may be behind it


@dataclass(frozen=True)
class Receipt:
    """What is known of the deltas `first_seq` to `last_seq` of one list, but for the rows that refusals name.

    `first_seq` tells a run's receipts for one model apart. `rows` counts the rows that the receipt speaks of.
    `detail` is a sentence for people, and TWIN where what this import refuses another may apply.
    """

    list_id: str
    op: str
    first_seq: int
    last_seq: int
    state: ReceiptState
    rows: int
    job_id: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class RowException:
    """One row that did not go the way of its range: Klaviyo's code and field, and its sentence for people."""

    seq: int
    kind: RowExceptionKind
    code: str
    field: str = ""
    detail: str = ""


def as_unknown(row_exceptions: Iterable[RowException]) -> tuple[RowException, ...]:
    """Return refusals of what an earlier try, whose reply was lost, may have carried out all the same."""
    return tuple(replace(row_exception, kind=RowExceptionKind.UNKNOWN) for row_exception in row_exceptions)
