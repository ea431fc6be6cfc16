"""Reasons for which rows are rejected: the checks in the warehouse, and Klaviyo's errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


OPTED_OUT: Final = "opted_out"  # the code of a person who opted out: nobody is subscribed over that
UNDELIVERABLE: Final = "undeliverable"  # the code of an address that gets no e-mail, whatever the consent
UNENCODABLE: Final = "unencodable"  # the code of a row that exceeds Klaviyo's limits, and was never sent
_NOT_BY_KLAVIYO: Final = frozenset({OPTED_OUT, UNDELIVERABLE, UNENCODABLE})


class RejectionSource(StrEnum):
    """The side that rejected a row."""

    CHECK = "check"  # a check in the warehouse; each run checks again
    KLAVIYO = "klaviyo"  # Klaviyo or its limits; the rejection stays until the row, model or config changes


class OptOut(StrEnum):
    """How a person opted out; it is stored in the place of the field of Klaviyo's error."""

    UNSUBSCRIBED = "unsubscribed"
    UNSUBSCRIBED_FROM_LIST = "unsubscribed_from_list"
    SPAM_REPORT = "spam_report"
    SPAM_COMPLAINT = "spam_complaint"
    SUPPRESSED_BY_HAND = "user_suppressed"
    SUPPRESSED_BY_MODEL = "suppressed_by_model"
    UNKNOWN = "unknown_reason"


_OPT_OUT_DESCRIPTIONS: Final[Mapping[OptOut, str]] = {
    OptOut.UNSUBSCRIBED: "unsubscribed",
    OptOut.UNSUBSCRIBED_FROM_LIST: "unsubscribed from the list",
    OptOut.SPAM_REPORT: "complained (SPAM_REPORT)",
    OptOut.SPAM_COMPLAINT: "complained (SPAM_COMPLAINT)",
    OptOut.SUPPRESSED_BY_HAND: "suppressed by hand (USER_SUPPRESSED)",
    OptOut.SUPPRESSED_BY_MODEL: "suppressed by another model",
    OptOut.UNKNOWN: "suppressed for an unknown reason",
}


class RowProblem(StrEnum):
    """Codes of the checks in the warehouse. A row with such a problem is not sent."""

    NO_LIST = "no_list"
    LIST_INVISIBLE = "list_invisible"
    UNKNOWN_LIST = "unknown_list"
    AMBIGUOUS_LIST = "ambiguous_list"
    SAME_LIST = "same_list"
    OTHER_MODELS_LIST = "other_models_list"
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
    NULL_VALUE = "null_value"
    MISSING_VALUE = "missing_value"
    NO_TIME = "no_time"
    FUTURE_TIME = "future_time"
    DUPLICATE = "duplicate"
    IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER = "identity_is_another_rows_identifier"
    SHARED_IDENTIFIER = "shared_identifier"
    CHANGED = "changed"
    UNKNOWN_OUTCOME = "unknown_outcome"
    CHANGED_WHILE_READ = "changed_while_read"
    STILL_REJECTED = "still_rejected"
    WITHHELD = "withheld"  # no rejection: the person's deletion was asked for


PROBLEM_DESCRIPTIONS: Final[Mapping[RowProblem, str]] = {
    RowProblem.NO_LIST: "no list name",
    RowProblem.LIST_INVISIBLE: "list name has a control or invisible character inside",
    RowProblem.UNKNOWN_LIST: "there is no list of this name, and create_lists is false",
    RowProblem.AMBIGUOUS_LIST: "Klaviyo has several lists of this name",
    RowProblem.SAME_LIST: "several names in the list column mean the same list",
    RowProblem.OTHER_MODELS_LIST: "another model owns the list",
    RowProblem.NO_IDENTIFIER: "no usable identifier",
    RowProblem.NO_KEY: "a column of the row key is empty",
    RowProblem.EMAIL_TOO_LONG: "e-mail is longer than 100 characters",
    RowProblem.EMAIL_INVISIBLE: "e-mail has an invisible or control character inside",
    RowProblem.EMAIL_MALFORMED: "e-mail is malformed",
    RowProblem.ID_TOO_LONG: "id is longer than 255 characters",
    RowProblem.PHONE_INVISIBLE: "phone has an invisible or control character inside",
    RowProblem.PHONE_TRUNK_ZERO: "phone has a trunk zero after the country code",
    RowProblem.PHONE_MALFORMED: "phone is not E.164",
    RowProblem.INFINITE_TIME: "a date or time is infinite, before the year 1 or after 9999",
    RowProblem.NULL_VALUE: "a value is NULL, and on_null rejects it",
    RowProblem.MISSING_VALUE: "a column that every row needs is empty",
    RowProblem.NO_TIME: "consented_at is empty",
    RowProblem.FUTURE_TIME: "consented_at is in the future",
    RowProblem.DUPLICATE: "conflicting rows for one person or key",
    RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER: "identity is a secondary identifier of another row",
    RowProblem.SHARED_IDENTIFIER: "several rows share an identifier",
    RowProblem.CHANGED: "changed after it was sent, and cannot be sent again",
    RowProblem.UNKNOWN_OUTCOME: "an earlier request, which must not be repeated, may have carried it out",
    RowProblem.CHANGED_WHILE_READ: "changed while the model was read; the next run reads it again",
    RowProblem.WITHHELD: "the person's deletion was asked for",
    RowProblem.STILL_REJECTED: "rejected by Klaviyo earlier and unchanged since",
}


NAMING_A_COLUMN: Final = (RowProblem.INFINITE_TIME, RowProblem.NULL_VALUE, RowProblem.MISSING_VALUE)
_LIST_PROBLEMS: Final = {
    RowProblem.UNKNOWN_LIST,
    RowProblem.AMBIGUOUS_LIST,
    RowProblem.SAME_LIST,
    RowProblem.OTHER_MODELS_LIST,
}


@dataclass(frozen=True)
class RejectionReason:
    """Why rows are rejected: the code of a check, or Klaviyo's error code, field and message.

    `detail` is "" if it is not known; of several rows with the same code and field, it is the most frequent.
    Where nobody is subscribed, `field` is the `OptOut`, or for what Klaviyo suppresses the address. Where a
    check finds a row that Klaviyo refused earlier, `field` is the code of that refusal.
    """

    source: RejectionSource
    code: str
    field: str = ""
    detail: str = ""

    @property
    def is_by_klaviyo(self) -> bool:
        """Return whether Klaviyo rejected the rows, so that `retry` may help."""
        return self.source is RejectionSource.KLAVIYO and self.code not in _NOT_BY_KLAVIYO

    @property
    def is_opt_out(self) -> bool:
        """Return whether the people opted out, so that nobody rejected the rows."""
        is_known = self.source is RejectionSource.CHECK and self.code == RowProblem.STILL_REJECTED
        return (self.field if is_known else self.code) == OPTED_OUT

    def describe(self) -> str:
        """Return the reason in words.

        >>> RejectionReason(RejectionSource.CHECK, "duplicate", detail="first_name").describe()
        'conflicting rows for one person or key: they differ in first_name'
        >>> RejectionReason(RejectionSource.KLAVIYO, "invalid", "email", "No.").describe()
        'error from Klaviyo: invalid (email): No.'
        """
        match self.source:
            case RejectionSource.CHECK:
                return self._describe_check(RowProblem(self.code))
            case RejectionSource.KLAVIYO if self.code == OPTED_OUT:
                return f"opted out: {_OPT_OUT_DESCRIPTIONS[OptOut(self.field)]}"
            case RejectionSource.KLAVIYO if self.code == UNDELIVERABLE:
                return f"gets no e-mail: suppressed for {self.field}"
            case RejectionSource.KLAVIYO if self.code == UNENCODABLE:
                return f"cannot be sent: {self.field or 'the row'} {self.detail}"
            case RejectionSource.KLAVIYO:
                field = f" ({self.field})" if self.field else ""
                return f"error from Klaviyo: {self.code}{field}: {self.detail}"

    def _describe_check(self, problem: RowProblem) -> str:
        description = PROBLEM_DESCRIPTIONS[problem]
        match problem:
            case RowProblem.STILL_REJECTED if self.field == OPTED_OUT:
                return "opted out earlier, and nobody is subscribed over that"
            case RowProblem.DUPLICATE if self.detail:
                return f"{description}: they differ in {self.detail}"
            case (
                RowProblem.CHANGED
                | RowProblem.INFINITE_TIME
                | RowProblem.NULL_VALUE
                | RowProblem.MISSING_VALUE
            ) if self.detail:
                return f"{description}: {self.detail}"
            case RowProblem.UNKNOWN_LIST | RowProblem.AMBIGUOUS_LIST | RowProblem.OTHER_MODELS_LIST if (
                self.detail
            ):
                return f"{description}: {self.detail!r}"
            case _:
                return description


@dataclass(frozen=True)
class RejectedRows:
    """The rows of a list that are rejected for one reason.

    `new_rows` of them were first rejected in the run in question, or would be in a planned run. `example` is
    the identity of one of the rows, if any has one, and `identifiers` are those of that row, by type: a plan
    has them, the state does not keep them.
    """

    reason: RejectionReason
    rows: int
    new_rows: int = 0
    example: str | None = None
    identifiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RejectedRow:
    """A row of a list that is rejected now, and the run that rejected it first.

    `identity` is None if the row has none. `rows` of the model are this row: those without an identity that
    are equal count as one.
    """

    model: str
    list_id: str
    identity: str | None
    rows: int
    reason: RejectionReason
    first_run_id: str
