"""The decision to subscribe a person, by the consent that their profile shows just before the request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reverse_etl.delivery.consents.consent_rules import (
    ReadPerson,
    Verdict,
    decide_subscription,
    decide_unsubscription,
)
from reverse_etl.klaviyo.consents import (
    Channel,
    Consent,
    ConsentingProfile,
    ConsentStatus,
    Suppression,
    parse_consent,
)
from reverse_etl.klaviyo.jsonapi import Resource

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(days=1), NOON + timedelta(days=1)
NEVER = Consent(ConsentStatus.NEVER_SUBSCRIBED)


def person(*consents: Consent, list_id: str = "", member: bool = False) -> ReadPerson:
    """Return a person whose profiles show these consents."""
    profiles = [
        ConsentingProfile(f"P{number}", "ann@example.com", consent) for number, consent in enumerate(consents)
    ]
    return ReadPerson(profiles, list_id, frozenset({"P0"} if member else ()))


def suppressed(reason: str, at: datetime | None, list_id: str = "") -> Consent:
    """Return the consent of somebody who is suppressed."""
    return Consent(ConsentStatus.SUBSCRIBED, suppressions=(Suppression(reason, at, list_id),))


def unsubscribed(at: datetime | None) -> Consent:
    """Return the consent of somebody who unsubscribed."""
    return Consent(ConsentStatus.UNSUBSCRIBED, changed_at=at)


@pytest.mark.parametrize(
    ("consent", "consented_at", "verdict"),
    [
        (NEVER, NOON, Verdict.SEND),
        (NEVER, None, Verdict.SEND),
        (Consent(ConsentStatus.SUBSCRIBED), None, Verdict.SUBSCRIBED),
        (unsubscribed(BEFORE), NOON, Verdict.SEND),
        (unsubscribed(NOON), NOON, Verdict.OPTED_OUT),
        (unsubscribed(NOON), NOON + timedelta(milliseconds=900), Verdict.OPTED_OUT),
        (unsubscribed(AFTER), NOON, Verdict.OPTED_OUT),
        (unsubscribed(None), NOON, Verdict.OPTED_OUT),
        (unsubscribed(BEFORE), None, Verdict.OPTED_OUT),
        (suppressed("UNSUBSCRIBE", BEFORE), NOON, Verdict.SUBSCRIBED),
        (suppressed("UNSUBSCRIBE", AFTER), NOON, Verdict.OPTED_OUT),
        (suppressed("UNSUBSCRIBE", None), NOON, Verdict.OPTED_OUT),
        (suppressed("USER_SUPPRESSED", BEFORE), NOON, Verdict.OPTED_OUT),
        (suppressed("SPAM_REPORT", BEFORE), NOON, Verdict.OPTED_OUT),
        (suppressed("SPAM_COMPLAINT", None), NOON, Verdict.OPTED_OUT),
        (suppressed("SOMETHING_NEW", BEFORE), NOON, Verdict.OPTED_OUT),
        (suppressed("HARD_BOUNCE", BEFORE), NOON, Verdict.UNDELIVERABLE),
        (suppressed("INVALID_EMAIL", None), None, Verdict.UNDELIVERABLE),
        (Consent(ConsentStatus.UNKNOWN), NOON, Verdict.UNREADABLE),
    ],
)
def test_the_verdict_follows_the_present_consent(
    consent: Consent, consented_at: datetime | None, verdict: Verdict
) -> None:
    """A missing date counts as newer, and complaints and suppressions by hand hold whatever their date."""
    assert decide_subscription(person(consent), consented_at).verdict is verdict


def test_an_unknown_address_may_be_subscribed() -> None:
    """Nobody has it yet, so that nobody opted out."""
    assert decide_subscription(person(), None).verdict is Verdict.SEND


def test_each_profile_of_an_identifier_may_forbid_it() -> None:
    """Phones may be shared: one of the two opted out."""
    assert decide_subscription(person(NEVER, unsubscribed(AFTER)), NOON).verdict is Verdict.OPTED_OUT
    bounced = suppressed("HARD_BOUNCE", NOON)
    assert decide_subscription(person(bounced, unsubscribed(AFTER)), NOON).verdict is Verdict.OPTED_OUT


def test_an_opt_out_of_the_own_list_holds_alone() -> None:
    """Subscribing to a list lifts what holds for this list, and nothing of another."""
    own = suppressed("UNSUBSCRIBE", AFTER, list_id="L1")
    assert decide_subscription(person(own, list_id="L1", member=True), NOON).verdict is Verdict.OPTED_OUT
    assert decide_subscription(person(own, list_id="L2", member=True), NOON).verdict is Verdict.SUBSCRIBED
    assert decide_subscription(person(own, list_id="L2"), NOON).verdict is Verdict.SEND


def test_a_subscriber_to_another_channel_whose_mails_ended_joins_the_list_by_id() -> None:
    """To subscribe her by the list could bring the mails back."""
    texts = Consent(ConsentStatus.SUBSCRIBED, left_lists=frozenset({"L1"}))
    assert decide_subscription(person(texts, list_id="L1"), NOON).verdict is Verdict.JOIN
    assert decide_subscription(person(texts, list_id="L2"), NOON).verdict is Verdict.SEND
    assert decide_subscription(person(texts, list_id="L1", member=True), NOON).verdict is Verdict.SUBSCRIBED


def test_nobody_else_with_the_phone_joins_the_list() -> None:
    """They may have consented to mails, which those of the list are not."""
    texts = Consent(ConsentStatus.SUBSCRIBED, left_lists=frozenset({"L1"}))
    shared = person(NEVER, texts, Consent(ConsentStatus.SUBSCRIBED), list_id="L1")
    assert decide_subscription(shared, NOON).verdict is Verdict.JOIN
    assert [profile.id for profile in shared.left_by_email] == ["P1"]


def test_a_person_off_the_list_by_an_earlier_request_is_not_held() -> None:
    """Without such a request she would be unsubscribed from everything."""
    own = Consent(ConsentStatus.SUBSCRIBED, source="newsletter")
    for was_sent, verdict in ((False, Verdict.NOT_A_MEMBER), (True, Verdict.OFF_LIST)):
        decision = decide_unsubscription(person(own, list_id="L1"), NOON, "newsletter", was_sent=was_sent)
        assert decision.verdict is verdict


MAILS = {"marketing": {"consent": "NEVER_SUBSCRIBED", "suppression": [], "list_suppressions": []}}
MAILS_OF_A_LIST_LEFT = {"marketing": {**MAILS["marketing"], "list_suppressions": [{"reason": "UNSUBSCRIBE"}]}}


@pytest.mark.parametrize(
    ("email", "mails", "is_readable"),
    [
        ("ann@example.com", MAILS, True),
        (None, None, True),
        (None, {"marketing": None}, True),
        ("ann@example.com", None, False),
        ("ann@example.com", {"marketing": None}, False),
        ("ann@example.com", MAILS_OF_A_LIST_LEFT, False),
    ],
    ids=["read", "no e-mail", "no e-mail and no marketing", "null", "no marketing", "a list without an id"],
)
@pytest.mark.parametrize("channel", [Channel.PUSH, Channel.WHATSAPP])
def test_the_suppressions_of_a_shown_email_have_to_be_read(
    channel: Channel, email: str | None, mails: object, *, is_readable: bool
) -> None:
    """They hold every channel. Without them nobody knows whether the person complained."""
    subscriptions = {"email": mails, "whatsapp": {"marketing": None}, "mobile_push": {"marketing": None}}
    shown = Resource("P1", {"email": email, "subscriptions": subscriptions})
    expected = ConsentStatus.NEVER_SUBSCRIBED if is_readable else ConsentStatus.UNKNOWN
    assert parse_consent(shown, channel).consent.status is expected
