"""Evidence of what each request did: receipts for ranges of deltas, row exceptions for single rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.domain.deltas import Op


class ReceiptState(StrEnum):
    """The state of a range of deltas.

    ACCEPTED is not APPLIED: Klaviyo took the job and has not finished it. UNKNOWN means that the request may
    or may not have been carried out, NOT_SENT that no part of it was.
    """

    APPLIED = "applied"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class RowExceptionKind(StrEnum):
    """Why one row of a range differs from the range's receipt."""

    REJECTED = "rejected"  # Klaviyo refused this row, or the row exceeds Klaviyo's limits
    NOT_SENT = "not_sent"  # refused together with so many rows that the cause is not in the row
    UNKNOWN = "unknown"  # refused, but an earlier attempt whose reply was lost may have been carried out
    NO_PROFILE = "no_profile"  # Klaviyo has no profile of this person, and none may be created
    HELD = "held"  # not carried out, since it might concern somebody else, or more than was asked


class HoldCode(StrEnum):
    """Why a row was held when its people were looked up: the code of its exception, and of the journal."""

    SAME_PERSON = "same_person"  # a desired or rejected row may be the same person
    UNSUBSCRIBED_FIRST = "unsubscribed_first"  # another model unsubscribes the person first
    NOT_A_MEMBER = "not_a_member"  # the person is not on the list, and would lose every consent
    UNREADABLE_CONSENT = "unreadable_consent"
    SEVERAL_PROFILES = "several_profiles"  # it is not known which profile a deletion means
    OTHER_PERSON = "other_person"  # the profile shows other identifiers than the row has


@dataclass(frozen=True)
class Receipt:
    """The evidence about deltas `first_seq` to `last_seq` of one list, except rows with a row exception.

    `first_seq` identifies a receipt within one run and model. `rows` counts the rows that the receipt covers.
    `detail` is a sentence for people. `may_have_duplicate`: the reply to an earlier attempt was lost, so
    another import may apply what this one refuses. `verified` is False if rows count as APPLIED because
    Klaviyo took their request, and nothing shows what came of it.
    """

    list_id: str
    op: Op
    first_seq: int
    last_seq: int
    state: ReceiptState
    rows: int
    job_id: str | None = None
    detail: str = ""
    may_have_duplicate: bool = False
    verified: bool = True


@dataclass(frozen=True)
class RowException:
    """One row whose result differs from its range's receipt, with Klaviyo's error code, field and message."""

    seq: int
    kind: RowExceptionKind
    code: str
    field: str = ""
    detail: str = ""


def as_unknown(row_exceptions: Iterable[RowException]) -> tuple[RowException, ...]:
    """Return the row exceptions as UNKNOWN, since an attempt whose reply was lost may have been applied."""
    return tuple(replace(row_exception, kind=RowExceptionKind.UNKNOWN) for row_exception in row_exceptions)
