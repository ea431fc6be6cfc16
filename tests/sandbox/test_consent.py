"""Consent: who becomes subscribed, when, and what a request cannot do against a person's own choice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.paths import SUBSCRIBE, UNSUBSCRIBE
from tests.sandbox.caller import Caller, pointers, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

ROWS = "/data/attributes/profiles/data"
ANN, BOB, PHONE = "ann@example.com", "bob@example.com", "+14155550100"
LONG_AGO = "2020-01-01T00:00:00+00:00"


@pytest.fixture
def clock() -> QuickClock:
    """Let time pass as the test says."""
    return QuickClock()


@pytest.fixture
def sandbox(clock: QuickClock) -> Iterator[Sandbox]:
    """Run a sandbox in which subscriptions take effect at once."""
    with Sandbox(None, clock=clock, job_seconds=0, limits=False, consent_seconds=0) as running:
        yield running


def leaf(consented_at: str | None = None, consent: str = "SUBSCRIBED") -> dict[str, Any]:
    """Return the consent to one kind of messages."""
    return {"consent": consent} | ({"consented_at": consented_at} if consented_at else {})


def by_mail(email: str = ANN, consented_at: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a row that subscribes somebody to e-mail marketing."""
    return row(email=email, subscriptions={"email": {"marketing": leaf(consented_at)}}, **more)


def leaving(email: str = ANN, **subscriptions: Any) -> dict[str, Any]:
    """Return a row that unsubscribes somebody from e-mail marketing, or from other channels."""
    channels = subscriptions or {"email": {"marketing": leaf(consent="UNSUBSCRIBED")}}
    return row(email=email, subscriptions=channels)


def send(caller: Caller, path: str, *rows: Any, list_id: str = "", **attributes: Any) -> requests.Response:
    """Subscribe or unsubscribe rows."""
    kind = path.removeprefix("/api/").removesuffix("s")
    relation = {"relationships": {"list": {"data": {"type": "list", "id": list_id}}}} if list_id else {}
    body = {"type": kind, "attributes": {"profiles": {"data": list(rows)}, **attributes}, **relation}
    return caller.ask("POST", path, json={"data": body})


def subscribe(caller: Caller, *rows: Any, list_id: str = "", **attributes: Any) -> None:
    """Subscribe rows, which must be accepted."""
    reply = send(caller, SUBSCRIBE, *rows, list_id=list_id, **attributes)
    assert (reply.status_code, reply.content) == (202, b""), reply.text


def unsubscribe(caller: Caller, *rows: Any, list_id: str = "") -> None:
    """Unsubscribe rows, which must be accepted."""
    reply = send(caller, UNSUBSCRIBE, *rows, list_id=list_id)
    assert (reply.status_code, reply.content) == (202, b""), reply.text


def subscriptions(caller: Caller, email: str = ANN) -> Any:
    """Return the subscriptions of a profile."""
    query = {"filter": f'equals(email,"{email}")', "additional-fields[profile]": "subscriptions"}
    (profile,) = caller.get("/api/profiles", **query)["data"]
    return profile["attributes"]["subscriptions"]


def marketing(caller: Caller, email: str = ANN) -> Any:
    """Return the consent to e-mail marketing of a profile."""
    return subscriptions(caller, email)["email"]["marketing"]


def single_list(caller: Caller, process: str = "single_opt_in") -> str:
    """Create a list and return its id."""
    body = {"data": {"type": "list", "attributes": {"name": "News", "opt_in_process": process}}}
    return str(caller.ask("POST", "/api/lists", json=body).json()["data"]["id"])


def test_a_list_subscribes_and_adds_new_people(caller: Caller, sandbox: Sandbox) -> None:
    """The profile is made, is a member, and tells how it was subscribed."""
    news = single_list(caller)
    subscribe(caller, by_mail(), list_id=news, custom_source="shop")
    consent = marketing(caller)
    assert (consent["consent"], consent["method"], consent["custom_method_detail"]) == (
        "SUBSCRIBED",
        "API",
        "shop",
    )
    assert [member["email"] for member in sandbox.members(news)] == [ANN]


def test_a_subscription_takes_its_time(caller: Caller, sandbox: Sandbox, clock: QuickClock) -> None:
    """The reply proves nothing: the consent is to be seen later."""
    sandbox.change_rules(consent_seconds=60)
    caller.run_import([row(email=ANN)])
    subscribe(caller, by_mail())
    assert marketing(caller)["consent"] == "NEVER_SUBSCRIBED"
    clock.leap(61.0)
    assert marketing(caller)["consent"] == "SUBSCRIBED"


def test_a_new_address_without_a_list_becomes_no_profile(caller: Caller, sandbox: Sandbox) -> None:
    """The request is accepted and nothing comes of it; a consent of the past makes the profile."""
    subscribe(caller, by_mail())
    assert sandbox.profile_count() == 0
    subscribe(caller, by_mail(consented_at=LONG_AGO), historical_import=True)
    assert marketing(caller)["consent_timestamp"] == LONG_AGO


def test_double_opt_in_waits_for_the_person(caller: Caller, sandbox: Sandbox) -> None:
    """Never subscribed, and on no list, until the person confirms; a consent of the past needs none."""
    news = single_list(caller, "double_opt_in")
    subscribe(caller, by_mail(), list_id=news)
    assert (marketing(caller)["consent"], sandbox.members(news)) == ("NEVER_SUBSCRIBED", [])
    sandbox.confirm_opt_in(ANN)
    assert (marketing(caller)["consent"], marketing(caller)["double_optin"]) == ("SUBSCRIBED", True)
    assert len(sandbox.members(news)) == 1
    with pytest.raises(UsageError, match="was not asked"):
        sandbox.confirm_opt_in(ANN)
    subscribe(caller, by_mail(BOB, LONG_AGO), list_id=news, historical_import=True)
    assert marketing(caller, BOB)["consent"] == "SUBSCRIBED"


def test_a_subscribed_person_keeps_the_time(caller: Caller, clock: QuickClock) -> None:
    """The first consent counts."""
    news = single_list(caller)
    subscribe(caller, by_mail(), list_id=news)
    first = marketing(caller)["consent_timestamp"]
    clock.leap(7_200.0)
    subscribe(caller, by_mail(), list_id=news)
    assert marketing(caller)["consent_timestamp"] == first


def test_a_consent_older_than_an_opt_out_refuses_the_request(caller: Caller, sandbox: Sandbox) -> None:
    """The row is pointed at, and no row is subscribed; a consent after the opt-out is taken."""
    caller.run_import([row(email=ANN), row(email=BOB)])
    sandbox.opt_out(BOB)
    rows = [by_mail(consented_at=LONG_AGO), by_mail(BOB, LONG_AGO)]
    reply = send(caller, SUBSCRIBE, *rows, historical_import=True)
    assert reply.status_code == 400
    assert pointers(reply) == [f"{ROWS}/1/attributes/subscriptions/email/marketing/consented_at"]
    assert marketing(caller)["consent"] == "NEVER_SUBSCRIBED"


def test_an_opt_out_between_the_request_and_its_effect_wins(
    caller: Caller, sandbox: Sandbox, clock: QuickClock
) -> None:
    """The person's newer choice is not undone."""
    sandbox.change_rules(consent_seconds=60)
    caller.run_import([row(email=ANN)])
    subscribe(caller, by_mail())
    clock.leap(30.0)
    sandbox.opt_out(ANN)
    clock.leap(60.0)
    assert marketing(caller)["consent"] == "UNSUBSCRIBED"


@pytest.mark.parametrize(
    ("reason", "lifted"),
    [
        ("UNSUBSCRIBE", True),
        ("SPAM_REPORT", True),
        ("SPAM_COMPLAINT", True),
        ("USER_SUPPRESSED", True),
        ("HARD_BOUNCE", False),
        ("INVALID_EMAIL", False),
    ],
)
def test_subscribing_lifts_suppressions(caller: Caller, sandbox: Sandbox, reason: str, lifted: bool) -> None:
    """Also of somebody who complained: a client has to look first. Bounces stay."""
    caller.run_import([row(email=ANN)])
    sandbox.suppress(ANN, reason)
    assert [each["reason"] for each in marketing(caller)["suppression"]] == [reason]
    assert marketing(caller)["can_receive_email_marketing"] is False
    subscribe(caller, by_mail())
    assert (marketing(caller)["suppression"] == []) is lifted


def test_the_second_subscription_within_half_an_hour_is_ignored(
    caller: Caller, sandbox: Sandbox, clock: QuickClock
) -> None:
    """Unsubscribed and subscribed again in that time, a person stays unsubscribed, in silence."""
    caller.run_import([row(email=ANN)])
    subscribe(caller, by_mail())
    sandbox.opt_out(ANN)
    clock.leap(60.0)
    subscribe(caller, by_mail())
    assert marketing(caller)["consent"] == "UNSUBSCRIBED"
    clock.leap(1_800.0)
    subscribe(caller, by_mail())
    assert (marketing(caller)["consent"], marketing(caller)["suppression"]) == ("SUBSCRIBED", [])


def test_an_unsubscription_with_a_list_is_global_for_people_who_are_not_on_it(
    caller: Caller, sandbox: Sandbox
) -> None:
    """The member loses the list alone, and keeps the consent."""
    news = single_list(caller)
    subscribe(caller, by_mail(), list_id=news)
    caller.run_import([row(email=BOB)])
    subscribe(caller, by_mail(BOB))
    unsubscribe(caller, leaving(ANN), leaving(BOB), leaving("nobody@example.com"), list_id=news)
    ann, bob = marketing(caller), marketing(caller, BOB)
    assert (ann["consent"], ann["suppression"]) == ("SUBSCRIBED", [])
    assert [each["list_id"] for each in ann["list_suppressions"]] == [news]
    assert (bob["consent"], [each["reason"] for each in bob["suppression"]]) == (
        "UNSUBSCRIBED",
        ["UNSUBSCRIBE"],
    )
    assert sandbox.members(news) == []
    in_list = "subscriptions.email.marketing.list_suppressions"
    profiles = caller.get("/api/profiles", filter=f'equals({in_list}.list_id,"{news}")')["data"]
    assert [each["attributes"]["email"] for each in profiles] == [ANN]


def test_channels_are_apart(caller: Caller) -> None:
    """Each has its own consent, and leaving one leaves the others alone."""
    news = single_list(caller)
    channels = {
        "email": {"marketing": leaf(), "open_tracking": leaf(), "click_tracking": leaf()},
        "sms": {"marketing": leaf(), "transactional": leaf()},
        "whatsapp": {"transactional": leaf()},
        "push": {"marketing": leaf()},
    }
    subscribe(caller, row(email=ANN, phone_number=PHONE, subscriptions=channels), list_id=news)
    gone = {"sms": {"marketing": leaf(consent="UNSUBSCRIBED")}}
    unsubscribe(caller, row(phone_number=PHONE, subscriptions=gone))
    subscribed = subscriptions(caller)
    assert subscribed["email"]["marketing"]["consent"] == "SUBSCRIBED"
    assert subscribed["email"]["click_tracking"]["can_receive"] is True
    assert subscribed["sms"]["marketing"]["consent"] == "UNSUBSCRIBED"
    assert subscribed["sms"]["transactional"]["can_receive_sms_transactional"] is True
    assert subscribed["whatsapp"]["transactional"]["consent"] == "SUBSCRIBED"
    assert subscribed["whatsapp"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"
    assert subscribed["mobile_push"]["marketing"]["consent"] == "SUBSCRIBED"


SMS = {"sms": {"marketing": leaf()}}


@pytest.mark.parametrize(
    ("bad", "attributes", "pointer"),
    [
        (row(subscriptions={"email": {"marketing": leaf()}}), {}, "/attributes/email"),
        (row(email=ANN, subscriptions=SMS), {}, "/attributes/phone_number"),
        (row(phone_number="0100", subscriptions=SMS), {}, "/attributes/phone_number"),
        (row(phone_number="+4930123456", subscriptions=SMS), {}, "/attributes/phone_number"),
        (row(email="no", subscriptions={"email": {"marketing": leaf()}}), {}, "/attributes/email"),
        (row(email=ANN), {}, "/attributes/subscriptions"),
        (by_mail(first_name="Ann"), {}, "/attributes/first_name"),
        (row(email=ANN, subscriptions={"fax": {}}), {}, "/attributes/subscriptions/fax"),
        (
            row(email=ANN, subscriptions={"email": {"marketing": leaf(consent="YES")}}),
            {},
            "/attributes/subscriptions/email/marketing/consent",
        ),
        (by_mail(consented_at=LONG_AGO), {}, "/attributes/subscriptions/email/marketing/consented_at"),
        (by_mail(), {"historical_import": True}, "/attributes/subscriptions/email/marketing/consented_at"),
        (
            by_mail(consented_at="2999-01-01T00:00:00Z"),
            {"historical_import": True},
            "/attributes/subscriptions/email/marketing/consented_at",
        ),
        (
            row(email=ANN, subscriptions={"push": {"tokens": []}}),
            {},
            "/attributes/subscriptions/push/marketing",
        ),
    ],
)
def test_one_bad_row_refuses_all(
    caller: Caller, sandbox: Sandbox, bad: Any, attributes: Any, pointer: str
) -> None:
    """A missing identifier, another country, fields of a profile, times without or against the flag."""
    sandbox.change_rules(refused_sms_prefixes=("+49",))
    good = by_mail(BOB, LONG_AGO if attributes else None)
    reply = send(caller, SUBSCRIBE, good, bad, list_id=single_list(caller), **attributes)
    assert reply.status_code == 400
    assert pointers(reply) == [f"{ROWS}/1{pointer}"]
    assert sandbox.profile_count() == 0


def test_an_account_with_an_age_gate_needs_a_date_of_birth(caller: Caller, sandbox: Sandbox) -> None:
    """For SMS alone."""
    sandbox.change_rules(age_gated=True)
    news = single_list(caller)
    reply = send(caller, SUBSCRIBE, row(phone_number=PHONE, subscriptions=SMS), list_id=news)
    assert pointers(reply) == [f"{ROWS}/0/attributes/age_gated_date_of_birth"]
    grown_up = row(phone_number=PHONE, subscriptions=SMS, age_gated_date_of_birth="1980-01-01")
    subscribe(caller, grown_up, by_mail(), list_id=news)


def test_requests_have_a_largest_size(caller: Caller) -> None:
    """A thousand subscriptions, a hundred unsubscriptions; an unknown list is pointed at."""
    news = single_list(caller)
    assert send(caller, SUBSCRIBE, *[by_mail()] * 1_001).status_code == 400
    assert send(caller, UNSUBSCRIBE, *[leaving()] * 101).status_code == 400
    subscribe(caller, *[by_mail()] * 1_000, list_id=news)
    unsubscribe(caller, *[leaving()] * 100)
    reply = send(caller, SUBSCRIBE, by_mail(), list_id="none")
    assert (reply.status_code, pointers(reply)) == (400, ["/data/relationships/list/data/id"])


def test_unsubscribing_takes_no_ids_and_push_takes_tokens(caller: Caller) -> None:
    """As the description has it."""
    with_id = leaving() | {"id": "01X"}
    assert pointers(send(caller, UNSUBSCRIBE, with_id)) == [f"{ROWS}/0/id"]
    push = leaving(push={"marketing": leaf(consent="UNSUBSCRIBED")})
    pointer = f"{ROWS}/0/attributes/subscriptions/push/tokens"
    assert pointers(send(caller, UNSUBSCRIBE, push)) == [pointer]


def test_an_import_and_a_membership_leave_consent_alone(caller: Caller, sandbox: Sandbox) -> None:
    """Both ways."""
    news = single_list(caller)
    caller.run_import([row(email=ANN)])
    sandbox.opt_out(ANN)
    caller.run_import([row(email=ANN, first_name="Ann")], news)
    assert marketing(caller)["consent"] == "UNSUBSCRIBED"
    caller.edit("DELETE", news, sandbox.profiles()[0]["id"])
    assert marketing(caller)["consent"] == "UNSUBSCRIBED"


def test_consent_survives_a_merge_and_is_known_by_when_it_was_given(caller: Caller, sandbox: Sandbox) -> None:
    """The one that stays keeps its own consents and gets the others; timestamps are the sandbox's."""
    caller.run_import([row(email=ANN), row(phone_number=PHONE)])
    ann, phone = (profile["id"] for profile in sandbox.profiles())
    sandbox.opt_out(PHONE, "sms.marketing")
    merge = {
        "type": "profile-merge",
        "id": ann,
        "relationships": {"profiles": {"data": [{"type": "profile", "id": phone}]}},
    }
    assert caller.ask("POST", "/api/profile-merge", json={"data": merge}).status_code == 202
    consent = subscriptions(caller)["sms"]["marketing"]
    now = datetime.fromtimestamp(int(sandbox.now()), UTC).isoformat()
    assert (consent["consent"], consent["consent_timestamp"]) == ("UNSUBSCRIBED", now)
