"""Reasons for which rows are rejected: the checks in the warehouse, and Klaviyo's errors."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class RowProblem(StrEnum):
    """Codes of the checks in the warehouse. A row with such a problem is not sent."""

    NO_LIST = "no_list"
    NO_IDENTIFIER = "no_identifier"
    NO_KEY = "no_key"
    EMAIL_TOO_LONG = "email_too_long"
    EMAIL_INVISIBLE = "email_invisible"
    EMAIL_MALFORMED = "email_malformed"
    ID_TOO_LONG = "id_too_long"
    PHONE_INVISIBLE = "phone_invisible"
    PHONE_TRUNK_ZERO = "phone_trunk_zero"
    PHONE_MALFORMED = "phone_malformed"
    INFINITE_TIME = "infinite_time"
    DUPLICATE = "duplicate"
    IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER = "identity_is_another_rows_identifier"
    SHARED_IDENTIFIER = "shared_identifier"
    CHANGED = "changed"
    STILL_REJECTED = "standing"


PROBLEM_DESCRIPTIONS: Final[Mapping[RowProblem, str]] = {
    RowProblem.NO_LIST: "no list name",
    RowProblem.NO_IDENTIFIER: "no usable identifier",
    RowProblem.NO_KEY: "a column of the row key is empty",
    RowProblem.EMAIL_TOO_LONG: "e-mail is longer than 100 characters",
    RowProblem.EMAIL_INVISIBLE: "e-mail has an invisible or control character inside",
    RowProblem.EMAIL_MALFORMED: "e-mail is malformed",
    RowProblem.ID_TOO_LONG: "id is longer than 255 characters",
    RowProblem.PHONE_INVISIBLE: "phone has an invisible or control character inside",
    RowProblem.PHONE_TRUNK_ZERO: "phone has a (0) after the country code",
    RowProblem.PHONE_MALFORMED: "phone is not E.164",
    RowProblem.INFINITE_TIME: "a date or time is infinite",
    RowProblem.DUPLICATE: "conflicting rows for one person",
    RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER: "identity is a secondary identifier of another row",
    RowProblem.SHARED_IDENTIFIER: "several rows share an identifier",
    RowProblem.CHANGED: "changed after it was sent, and cannot be sent again",
    RowProblem.STILL_REJECTED: "rejected by Klaviyo earlier and unchanged since",
}


def describe_rejection(source: str, code: str, field: str, detail: str) -> str:
    """Return the reason of a stored rejection, in words.

    >>> describe_rejection("check", "duplicate", "", "first_name")
    'conflicting rows for one person: they differ in first_name'
    >>> describe_rejection("klaviyo", "invalid", "email", "No.")
    'error from Klaviyo: invalid (email): No.'
    """
    if source == "check":
        description = PROBLEM_DESCRIPTIONS[RowProblem(code)]
        match code:
            case RowProblem.DUPLICATE:
                return f"{description}: they differ in {detail}"
            case RowProblem.CHANGED | RowProblem.INFINITE_TIME:
                return f"{description}: {detail}"
            case _:
                return description
    if code == "unencodable":  # never sent to Klaviyo
        return f"cannot be sent: {field or 'the row'} {detail}"
    return f"error from Klaviyo: {f'{code} ({field})' if field else code}: {detail}"


def is_rejected_by_klaviyo(source: str, code: str) -> bool:
    """Return whether Klaviyo rejected the row, so that `retry` may help."""
    return source == "klaviyo" and code != "unencodable"
