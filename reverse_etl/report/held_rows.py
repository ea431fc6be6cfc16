"""A row that a run keeps back, wholly or without an identifier: what holds it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.identifiers import format_person, mask_identifiers, mask_person
from reverse_etl.domain.receipts import HoldCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.identifiers import IdentifierType


class PlanHold(StrEnum):
    """Why a plan keeps a row back, or an identifier of it; `HoldCode` has what a look-up finds."""

    OLD_STATE = "old_state"
    MAY_BE_REMOVED = "may_be_removed"
    REJECTED_ROW = "rejected_row"
    STOPPED_LIST = "stopped_list"
    AT_LOOKUP = "at_lookup"  # perhaps, by a run that kept no journal
    SHARED_IDENTIFIER = "shared_identifier"
    OTHER_ROW = "other_row"  # another row was sent with the identifier, and its profile has it
    OTHER_PROFILE = "other_profile"  # another profile in Klaviyo has the identifier


@dataclass(frozen=True)
class HeldText:
    """The reason why a row is kept back, as a part of a sentence, and the next step."""

    reason: str
    advice: str


_TEXTS: Final[Mapping[str, HeldText]] = {
    PlanHold.OLD_STATE: HeldText(
        "the state may be older than what was sent",
        "See the note of reverse-etl status, restore the newest state, or run reverse-etl state trust.",
    ),
    PlanHold.MAY_BE_REMOVED: HeldText(
        "an earlier run may have taken the row back, and its request must not be repeated",
        "Look in the other system. To send the request again: reverse-etl retry --unknown.",
    ),
    PlanHold.REJECTED_ROW: HeldText(
        "the row left the model, but a rejected row may be the same person",
        "Correct the rejected row, or delete it from the model. See it: reverse-etl status --rejected.",
    ),
    PlanHold.STOPPED_LIST: HeldText(
        "the row left the model, but the person is on a list that a guard stops",
        "Nothing, once the other list is sent. See what stops it: reverse-etl plan.",
    ),
    HoldCode.SAME_PERSON: HeldText(
        "the row left the model, but the profile may be that of a row that is still in the model",
        "Compare the rows that share an identifier with it: reverse-etl explain VALUE. Correct the one "
        "that is rejected, or whose address Klaviyo does not know.",
    ),
    HoldCode.UNSUBSCRIBED_FIRST: HeldText(
        "another model has to unsubscribe the person before the list is left",
        "Run the models together.",
    ),
    HoldCode.NOT_A_MEMBER: HeldText(
        "the person is not on the list, and would be unsubscribed from everything",
        "Nothing: the next run forgets the row. To end all consent, use a model without a list.",
    ),
    HoldCode.UNREADABLE_CONSENT: HeldText(
        "Klaviyo's reply has no consent that can be read",
        "Nothing: the next run reads it again.",
    ),
    HoldCode.SEVERAL_PROFILES: HeldText(
        "several profiles have the row's identifiers, and one person is to be deleted",
        "Merge the profiles in Klaviyo, or leave in the row only the identifiers of one of them.",
    ),
    HoldCode.OTHER_PERSON: HeldText(
        "the profile shows other identifiers than the row has",
        "Compare the row with the profile: reverse-etl explain VALUE --ask-klaviyo.",
    ),
    PlanHold.AT_LOOKUP: HeldText(
        "the last run of the list held rows when it looked their people up, and no journal says which",
        "The next run looks them up again. To know which rows they are from now on, and why, add to the "
        "destination: journal: 90d.",
    ),
    PlanHold.SHARED_IDENTIFIER: HeldText(
        "several rows of the model have it",
        "Correct the rows that share the identifier: reverse-etl explain VALUE shows all of them.",
    ),
    PlanHold.OTHER_ROW: HeldText(
        "another row of the model was sent with it, whose profile in Klaviyo has it",
        "Correct the rows. If two people swapped their values, let the model give one of them a third value "
        "for one run.",
    ),
    PlanHold.OTHER_PROFILE: HeldText(
        "another profile in Klaviyo has it",
        "Correct the value in the model. Or, if both profiles are one person, merge them in Klaviyo; if not, "
        "remove the value from the other profile. Then run reverse-etl retry.",
    ),
}
_REFUSED: Final = HeldText(
    "Klaviyo refused the request for it", "The next run tries again. See the error of the run's list."
)


@dataclass(frozen=True)
class OtherRow:
    """A row that may be the same person: its identity, if it has one, and the identifier that both have."""

    identity: str | None
    identifiers: Mapping[str, str]
    shared: IdentifierType

    def describe(self, *, show_values: bool) -> str:
        """Return who the row is, by what finds it in the warehouse; masked unless `show_values`."""
        if self.identity is not None:
            describe = format_person if show_values else mask_person
            return describe(self.identity, self.identifiers)
        shown = self.identifiers if show_values else mask_identifiers(self.identifiers)
        return ", ".join(f"{name} {value}" for name, value in shown.items())


@dataclass(frozen=True)
class HeldRow:
    """A row that a run keeps back: wholly, or without the identifier `omitted`.

    `code` is one of PlanHold or HoldCode, or Klaviyo's error code. `detail` says more of the reason, '' if
    there is nothing. `since` is when a run held the row at its look-up, '' for what the plan itself shows.
    """

    model: str
    list_id: str
    list_name: str
    identity: str
    identifiers: Mapping[str, str]
    code: str
    detail: str = ""
    other: OtherRow | None = None
    omitted: str = ""
    since: str = ""

    @property
    def reason(self) -> str:
        """Return why it is kept back, without the other row."""
        text = _TEXTS.get(self.code, _REFUSED)
        detail = f" ({self.detail})" if self.detail else ""
        return f"sent without {self.omitted}: {text.reason}{detail}" if self.omitted else text.reason + detail

    def describe(self, *, show_values: bool) -> str:
        """Return why it is kept back, with the other row."""
        if self.other is None:
            return self.reason
        other = self.other.describe(show_values=show_values)
        return f"{self.reason}: {other}, which has the same {self.other.shared}"

    @property
    def advice(self) -> str:
        """Return what to do about it."""
        return _TEXTS.get(self.code, _REFUSED).advice
