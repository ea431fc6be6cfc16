"""Why rows are rejected, in words: a check's code, or what Klaviyo said."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class RowProblem(StrEnum):
    """Why a row will not be sent as it is: the codes of the checks made in the warehouse."""

    NO_LIST = "no_list"
    NO_IDENTIFIER = "no_identifier"
    EMAIL_TOO_LONG = "email_too_long"
    EMAIL_MALFORMED = "email_malformed"
    ID_TOO_LONG = "id_too_long"
    PHONE_MALFORMED = "phone_malformed"
    DUPLICATE = "duplicate"
    IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER = "identity_is_another_rows_identifier"
    SHARED_IDENTIFIER = "shared_identifier"
    STILL_REJECTED = "standing"  # refused by Klaviyo before, and unchanged since


PROBLEM_DESCRIPTIONS: Final[Mapping[RowProblem, str]] = {
    RowProblem.NO_LIST: "no list named",
    RowProblem.NO_IDENTIFIER: "no usable identifier",
    RowProblem.EMAIL_TOO_LONG: "e-mail of more than 100 characters",
    RowProblem.EMAIL_MALFORMED: "malformed e-mail",
    RowProblem.ID_TOO_LONG: "id of more than 255 characters",
    RowProblem.PHONE_MALFORMED: "phone that is not E.164",
    RowProblem.DUPLICATE: "several different rows of one identity",
    RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER: "its identity is another row's identifier",
    RowProblem.SHARED_IDENTIFIER: "an identifier that other rows carry too",
    RowProblem.STILL_REJECTED: "refused by Klaviyo before, and unchanged since",
}


def describe_rejection(source: str, code: str, field: str, detail: str) -> str:
    """Return why a row is rejected, of what the state keeps of it.

    >>> describe_rejection("check", "duplicate", "", "first_name")
    'several different rows of one identity, in first_name'
    >>> describe_rejection("klaviyo", "invalid", "email", "No.")
    'refused by Klaviyo: invalid at email: No.'
    """
    if source == "check":
        description = PROBLEM_DESCRIPTIONS[RowProblem(code)]
        return f"{description}, in {detail}" if code == RowProblem.DUPLICATE else description
    if code == "unrenderable":  # nobody asked Klaviyo
        return f"can't be sent: {field or 'the row'} {detail}"
    return f"refused by Klaviyo: {f'{code} at {field}' if field else code}: {detail}"


def is_rejected_by_klaviyo(source: str, code: str) -> bool:
    """Return whether it was Klaviyo that refused, so that `retry` may help."""
    return source == "klaviyo" and code != "unrenderable"
