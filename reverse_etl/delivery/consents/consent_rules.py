"""Decide whether a person may be subscribed, by what their profile shows just before the request. Pure.

Subscribing lifts suppressions that people or their shops decided on. So a person who opted out, complained or
was suppressed is not subscribed, and neither is one whose consent can't be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.rejections import OptOut
from reverse_etl.klaviyo.consents import EVERY_LIST, ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.consents import Consent, ConsentingProfile

_UNSUBSCRIBE: Final = "UNSUBSCRIBE"
_UNREADABLE: Final = "Klaviyo's reply has no consent that can be read."
_DATELESS: Final = {  # hold whatever their date
    "USER_SUPPRESSED": OptOut.SUPPRESSED_BY_HAND,
    "SPAM_REPORT": OptOut.SPAM_REPORT,
    "SPAM_COMPLAINT": OptOut.SPAM_COMPLAINT,
}
_BOUNCES: Final = frozenset({"HARD_BOUNCE", "INVALID_EMAIL"})


class Verdict(Enum):
    """The treatment of a row, by the present consent of its person."""

    SEND = "send"
    SUBSCRIBED = "subscribed"  # nothing to do
    JOIN = "join"  # subscribed, and to be put on the list by profile id
    OPTED_OUT = "opted out"
    UNDELIVERABLE = "undeliverable"
    UNREADABLE = "unreadable"
    LEAVE = "leave"  # not ours to take back, or taken back already
    OFF_LIST = "off the list"  # most likely by an earlier request of ours
    NOT_A_MEMBER = "not a member"


@dataclass(frozen=True)
class Decision:
    """A verdict, how the person opted out or for what the address bounces, and a sentence."""

    verdict: Verdict
    opt_out: OptOut | None = None
    bounce: str = ""
    detail: str = ""

    @property
    def is_unsubscription(self) -> bool:
        """Return whether the person opted out by unsubscribing, and not by a complaint."""
        return self.opt_out in {OptOut.UNSUBSCRIBED, OptOut.UNSUBSCRIBED_FROM_LIST}

    @property
    def cause(self) -> str:
        """Return the id that is stored for why the person is not subscribed."""
        return self.opt_out or self.bounce


@dataclass(frozen=True)
class ReadPerson:
    """The profiles found for a row's identifier, and the ids of those that are on the model's list.

    `list_id` is "" for a model without a list; then `member_ids` does not count.
    """

    profiles: Sequence[ConsentingProfile]
    list_id: str
    member_ids: frozenset[str]

    @property
    def is_subscribed(self) -> bool:
        """Return whether the person has the consent, and is on the list if there is one."""
        return any(
            profile.consent.status is ConsentStatus.SUBSCRIBED
            and (not self.list_id or profile.id in self.member_ids)
            for profile in self.profiles
        )

    @property
    def left_by_email(self) -> Sequence[ConsentingProfile]:
        """Return those who subscribed to another channel and are off the list because their e-mail left it.

        A request that subscribes them to the list could bring its mails back; joining it changes no consent.
        Others with the same phone are not among them: nobody may bring them on the list.
        """
        return [
            profile
            for profile in self.profiles
            if profile.consent.status is ConsentStatus.SUBSCRIBED
            and self.list_id in profile.consent.left_lists
        ]


def decide_subscription(
    person: ReadPerson, consented_at: datetime | None, *, over_unsubscription: bool = False
) -> Decision:
    """Return whether a person may be subscribed by a consent, given now if `consented_at` is None.

    If several profiles share the identifier, each of them may forbid it. `over_unsubscription`:
    ignore unsubscriptions, but not complaints or suppressions.
    """
    consents = [profile.consent for profile in person.profiles]
    if any(consent.status is ConsentStatus.UNKNOWN for consent in consents):
        return Decision(Verdict.UNREADABLE, detail=_UNREADABLE)
    opt_outs = list(_find_opt_outs(consents, person.list_id, consented_at))
    if over_unsubscription:
        opt_outs = [opt_out for opt_out in opt_outs if not opt_out.is_unsubscription]
    if opt_outs:
        return min(opt_outs, key=lambda opt_out: opt_out.is_unsubscription)
    for consent in consents:
        for suppression in consent.suppressions:
            if suppression.reason in _BOUNCES and suppression.list_id == EVERY_LIST:
                return Decision(Verdict.UNDELIVERABLE, bounce=suppression.reason)
    if person.is_subscribed:
        return Decision(Verdict.SUBSCRIBED)
    return Decision(Verdict.JOIN if person.left_by_email else Verdict.SEND)


def _find_opt_outs(
    consents: Iterable[Consent], list_id: str, consented_at: datetime | None
) -> Iterator[Decision]:
    """Yield each reason for which nobody may be subscribed over what the person chose."""
    for consent in consents:
        if consent.status is ConsentStatus.UNSUBSCRIBED and _is_newer(consent.changed_at, consented_at):
            yield _opted_out(OptOut.UNSUBSCRIBED, consent.changed_at)
        for suppression in consent.suppressions:
            if suppression.list_id not in {EVERY_LIST, list_id} or suppression.reason in _BOUNCES:
                continue
            if suppression.reason == _UNSUBSCRIBE:
                if _is_newer(suppression.suppressed_at, consented_at):
                    opt_out = OptOut.UNSUBSCRIBED_FROM_LIST if suppression.list_id else OptOut.UNSUBSCRIBED
                    yield _opted_out(opt_out, suppression.suppressed_at)
            else:
                yield _opted_out(_DATELESS.get(suppression.reason, OptOut.UNKNOWN), suppression.suppressed_at)


def _opted_out(opt_out: OptOut, opted_out_at: datetime | None) -> Decision:
    detail = f"Since {opted_out_at:%Y-%m-%d %H:%M} UTC." if opted_out_at is not None else ""
    return Decision(Verdict.OPTED_OUT, opt_out, detail=detail)


def _is_newer(opted_out_at: datetime | None, consented_at: datetime | None) -> bool:
    """Return whether an opt-out counts as newer than a consent; one without a date does.

    Klaviyo shows whole seconds: an opt-out in the second of the consent may have been after it.
    """
    return consented_at is None or opted_out_at is None or opted_out_at >= consented_at.replace(microsecond=0)


def decide_unsubscription(
    person: ReadPerson, consented_at: datetime | None, source: str, *, was_sent: bool = False
) -> Decision:
    """Return whether the model subscribed a person, and their consent still has the model's marks.

    Without one of the marks (time or source) the person has consented again since. Klaviyo unsubscribes a
    person who is not on the list of the request from everything. `was_sent`: an earlier run may have sent the
    request, so that somebody off the list is most likely so by it.
    """
    if any(profile.consent.status is ConsentStatus.UNKNOWN for profile in person.profiles):
        return Decision(Verdict.UNREADABLE, detail=_UNREADABLE)
    subscribed = [
        profile for profile in person.profiles if profile.consent.status is ConsentStatus.SUBSCRIBED
    ]
    if not subscribed or not all(_is_own(profile.consent, consented_at, source) for profile in subscribed):
        return Decision(Verdict.LEAVE)
    outside = [profile for profile in subscribed if person.list_id and profile.id not in person.member_ids]
    if outside and was_sent:
        return Decision(Verdict.OFF_LIST)
    if outside and all(_has_left(profile.consent, person.list_id) for profile in outside):
        return Decision(Verdict.LEAVE)
    if outside:
        return Decision(Verdict.NOT_A_MEMBER)
    return Decision(Verdict.SEND)


def _has_left(consent: Consent, list_id: str) -> bool:
    """Return whether a person unsubscribed from a list, as by an earlier request whose reply was lost."""
    return any(
        suppression.reason == _UNSUBSCRIBE and suppression.list_id == list_id
        for suppression in consent.suppressions
    )


def _is_own(consent: Consent, consented_at: datetime | None, source: str) -> bool:
    """Return whether a consent still shows the time or the source that the model gave."""
    same_time = (
        consented_at is not None
        and consent.consented_at is not None
        and consent.consented_at.replace(microsecond=0) == consented_at.replace(microsecond=0)
    )
    return same_time or consent.source == source
