"""The surface `subscriptions`: who becomes subscribed, who is left alone, and what proves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from reverse_etl.cli.output.plan import plan_cells
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import OptOut
from reverse_etl.errors import GuardRefused, ModelError, UsageError
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.planning.plan import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.surfaces.interface import Columns, OtherColumns, Phase
from reverse_etl.surfaces.profiles import PROFILES
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    NAIVE,
    SUBSCRIBE,
    at,
    consents,
    marketing,
    new_list,
    outcomes,
    requests,
    status,
)
from tests.core.world import Interrupted, World, one
from tests.surfaces import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request, TransportResult

    PlayReads: TypeAlias = Callable[[Callable[[Any], Any]], None]

SECOND_LIST = {"name": "Others", "opt_in_process": "single_opt_in"}
MOVED = PlanOptions(allow=Allowances(updates=["newsletter"]))


def test_people_are_subscribed_with_the_time_of_their_consent(world: World) -> None:
    """A profile shows the time and the model's name, the row is applied, and the next run sends nothing."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 2}, 0)
    shown = marketing(world)
    assert (shown["consent"], shown["custom_method_detail"]) == ("SUBSCRIBED", "newsletter")
    assert shown["consent_timestamp"].startswith("2020-05-01T12:00:00")
    assert requests(world) == 1
    again = world.run()
    assert (outcomes(again), one(again).list_plan.unchanged, requests(world)) == ({}, 2, 1)


def test_people_are_subscribed_to_a_list(world: World) -> None:
    """With a list they also become members, even those who had consented before."""
    consents(world, (ANN, LONG_AGO))
    world.run()
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), list="Members")
    result = world.run()
    assert world.emails() == [ANN, BOB]
    assert outcomes(result) == {"applied": 2}


def test_a_person_who_opted_out_is_left_alone(world: World) -> None:
    """The row asks for attention once, then is only a count; nothing is sent, whatever the model changes."""
    world.new_profile(email=ANN)
    world.sandbox.opt_out(ANN)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"opted_out": 1, "applied": 1}, 1)
    assert (status(world), requests(world)) == ("UNSUBSCRIBED", 1)
    again = world.run()
    assert (outcomes(again), again.exit_code, one(again).list_plan.rejected_by_check) == ({}, 0, 1)
    consents(world, (ANN, "2021-05-01 12:00:00+00:00"), (BOB, LONG_AGO), custom_source="shop")
    assert outcomes(world.run()) == {"opted_out": 1}
    assert (status(world), requests(world)) == ("UNSUBSCRIBED", 1)


def test_a_newer_consent_is_sent_over_an_older_opt_out(world: World) -> None:
    """The person changed her mind, and the time says so."""
    world.new_profile(email=ANN)
    world.sandbox.opt_out(ANN)
    world.wait(3600.0)
    consents(world, (ANN, at(world, -60.0)))
    assert outcomes(world.run()) == {"applied": 1}
    assert status(world) == "SUBSCRIBED"


@pytest.mark.parametrize("reason", ["USER_SUPPRESSED", "SPAM_REPORT", "SOMETHING_NEW"])
@pytest.mark.parametrize("config", [{}, {"consent": "now"}])
def test_a_suppression_is_not_lifted(world: World, reason: str, config: dict[str, str]) -> None:
    """Neither by a newer consent nor by one of now."""
    world.new_profile(email=ANN)
    world.sandbox.suppress(ANN, reason)
    world.wait(3600.0)
    consents(world, (ANN, None if config else at(world, -60.0)), **config)
    assert outcomes(world.run()) == {"opted_out": 1}
    assert [entry["reason"] for entry in marketing(world)["suppression"]] == [reason]
    assert requests(world) == 0
    expected = {"SOMETHING_NEW": OptOut.UNKNOWN}.get(reason, reason.lower())
    (stored,) = world.state("SELECT code, field FROM rejections")
    assert stored == ("opted_out", expected)
    (rejected,) = world.project().status().lists[0].rejections
    assert rejected.reason.describe().startswith(("opted out: complained", "opted out: suppressed"))


def test_a_bounced_address_is_rejected(world: World) -> None:
    """No consent makes it reachable."""
    world.new_profile(email=ANN)
    world.sandbox.suppress(ANN, "HARD_BOUNCE")
    consents(world, (ANN, LONG_AGO))
    assert outcomes(world.run()) == {"rejected_by_klaviyo": 1}
    assert requests(world) == 0


def test_a_person_who_is_subscribed_already_needs_no_request(world: World) -> None:
    """The row is applied by what the read shows."""
    consents(world, (ANN, LONG_AGO))
    world.run()
    consents(world, (ANN, "2021-01-01 00:00:00+00:00"), custom_source="shop")
    result = world.run(options=MOVED)
    assert (outcomes(result), requests(world)) == ({"applied": 1}, 1)


def test_a_consent_of_now_and_one_of_the_past_go_in_two_requests(world: World) -> None:
    """With consent='now' a row without a time consents when it is sent."""
    new_list(world, "single_opt_in")
    world.new_profile(email=BOB)
    consents(world, (ANN, LONG_AGO), (BOB, None), (CAT, None), consent="now", list="Members")
    assert outcomes(world.run()) == {"applied": 3}
    assert requests(world) == 2
    assert marketing(world, ANN)["consent_timestamp"].startswith("2020-05-01")
    assert not marketing(world, BOB)["consent_timestamp"].startswith("2020")


def test_a_row_without_a_time_is_rejected(world: World) -> None:
    """Nobody is subscribed without saying since when."""
    consents(world, (ANN, None), (BOB, LONG_AGO))
    result = world.run()
    (rejected,) = one(result).list_plan.check_rejections
    assert rejected.reason.describe() == "consented_at is empty"
    assert outcomes(result) == {"applied": 1}


def test_a_time_in_the_future_is_rejected_until_it_is_past(world: World) -> None:
    """The same row is sent when its time has come."""
    consents(world, (ANN, at(world, 7200.0)), (BOB, LONG_AGO))
    result = world.run()
    (rejected,) = one(result).list_plan.check_rejections
    assert rejected.reason.describe() == "consented_at is in the future"
    world.wait(7300.0)
    assert outcomes(world.run()) == {"applied": 1}
    assert status(world) == "SUBSCRIBED"


def test_a_time_that_is_past_for_us_waits_for_klaviyos_clock(make_world: Callable[..., World]) -> None:
    """Klaviyo would refuse it. The row is not rejected, since the next run can send it."""
    world = make_world(klaviyo_ahead=-120.0)
    consents(world, (ANN, at(world, -60.0)), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 1, "not_sent": 1}, 1)
    world.wait(300.0)
    assert outcomes(world.run()) == {"applied": 1}


def test_a_time_without_a_zone_needs_one(world: World) -> None:
    """A local time read as UTC may lie in the future, or before an opt-out."""
    world.people([{"email": ANN, "consented_at": "2020-05-01 12:00:00"}], "naive", NAIVE)
    select = "select email, consented_at from naive"
    world.model("newsletter", select, surface="subscriptions", channel="email")
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert "which has no time zone" in caught.value.problems[0].summary
    zone = "America/New_York"
    world.model("newsletter", select, surface="subscriptions", channel="email", consented_at_timezone=zone)
    world.run()
    assert marketing(world)["consent_timestamp"].startswith("2020-05-01T16:00:00")


def test_a_time_of_today_is_compared_in_its_own_zone(world: World) -> None:
    """Noon in Auckland is past while it is still night in London."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    local = (now.astimezone(ZoneInfo("Pacific/Auckland")) - timedelta(minutes=5)).replace(tzinfo=None)
    world.people([{"email": ANN, "consented_at": f"{local:%Y-%m-%d %H:%M:%S}"}], "naive", NAIVE)
    world.model(
        "newsletter",
        "select email, consented_at from naive",
        surface="subscriptions",
        channel="email",
        consented_at_timezone="Pacific/Auckland",
    )
    assert outcomes(world.run()) == {"applied": 1}
    shown = datetime.fromisoformat(marketing(world)["consent_timestamp"])
    assert abs((shown - now).total_seconds() + 300.0) < 2.0


def test_a_list_with_double_opt_in_leaves_people_pending(world: World) -> None:
    """They are asked once; each run looks, and a confirmation settles the row without a request."""
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), consent="now", list="Members")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"pending": 1}, 0)
    again = world.run()
    assert (outcomes(again), again.exit_code, requests(world)) == ({}, 0, 1)
    world.sandbox.confirm_opt_in(ANN)
    world.run()
    assert world.state("SELECT state FROM consents") == [("confirmed",)]
    assert requests(world) == 1


def test_consent_that_is_never_confirmed_expires(world: World) -> None:
    """A new address without a list and a past consent becomes no profile; after two weeks no run looks."""
    consents(world, (ANN, None), consent="now")
    assert outcomes(world.run()) == {"pending": 1}
    world.wait(15 * 24 * 3600.0)
    world.run()
    assert world.state("SELECT state FROM consents") == [("expired",)]
    before = len(world.sandbox.log())
    world.run()
    assert not [entry for entry in world.sandbox.log()[before:] if entry.path == "/api/profiles"]


def test_somebody_who_opts_out_before_the_confirmation_is_not_asked_again(world: World) -> None:
    """She was pending, and says no."""
    world.new_profile(email=ANN)
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), consent="now", list="Members")
    world.run()
    world.sandbox.opt_out(ANN)
    world.run()
    assert world.state("SELECT state FROM consents") == [("opted_out",)]
    assert requests(world) == 1


def test_phones_are_subscribed_to_sms(world: World) -> None:
    """The channel decides the identifier; phones of a region without a sender are rejected alone."""
    world.sandbox.change_rules(refused_sms_prefixes=("+81",))
    phones = [f"+8190123456{number:02}" for number in range(30)] + ["+14155550100", "+14155550101"]
    world.people(
        [{"phone_e164": phone, "consented_at": LONG_AGO} for phone in phones],
        "phones",
        "phone_e164 VARCHAR, consented_at TIMESTAMPTZ",
    )
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 2, "rejected_by_klaviyo": 30}, 1)
    assert (outcomes(world.run()), requests(world)) == ({}, 2)


def test_phones_that_are_all_refused_are_each_rejected(world: World) -> None:
    """A small list of one country has no sender: the phones are at fault, however many."""
    world.sandbox.change_rules(refused_sms_prefixes=("+81",))
    phones = [{"phone_e164": f"+819012345{number}", "consented_at": LONG_AGO} for number in range(600, 603)]
    world.people(phones, "phones", "phone_e164 VARCHAR, consented_at TIMESTAMPTZ")
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"rejected_by_klaviyo": 3}, 1)


@pytest.mark.parametrize("number_of_rows", [3, 25])
def test_a_missing_date_of_birth_is_the_models_fault(world: World, number_of_rows: int) -> None:
    """All rows are refused for one reason: the list stops, and no row is rejected. With the date they go."""
    world.sandbox.change_rules(age_gated=True)
    rows = [
        {"phone_e164": f"+141555501{number:02}", "consented_at": LONG_AGO, "born": "1990-01-02"}
        for number in range(number_of_rows)
    ]
    world.people(rows, "phones", "phone_e164 VARCHAR, consented_at TIMESTAMPTZ, born DATE")
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"not_sent": number_of_rows}, 4)
    select = "select phone_e164, consented_at, born as age_gated_date_of_birth from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    assert outcomes(world.run()) == {"applied": number_of_rows}


def test_a_model_whose_times_move_stops(world: World) -> None:
    """A time of the load instead of the consent would overwrite when people consented."""
    rows = [(f"p{number}@example.com", LONG_AGO) for number in range(10)]
    consents(world, *rows)
    world.run()
    moved = [(email, "2021-01-01 00:00:00+00:00") for email, _ in rows]
    consents(world, *moved[:2], *rows[2:])
    assert outcomes(world.run()) == {"applied": 2}
    consents(world, *moved[:5], *rows[5:])
    with pytest.raises(GuardRefused) as caught:
        world.run()
    assert caught.value.problems[0].summary == (
        "consented_at moved for 3 of 10 rows (30 %); the limit is 2 (20 %). Nothing was sent."
    )
    assert outcomes(world.run(options=MOVED)) == {"applied": 3}


def test_a_model_says_channel_and_time(world: World) -> None:
    """Nothing is assumed: neither the channel nor that people consent now."""
    world.people([{"email": ANN}], "consents")
    for config, summary in (
        ({}, "The surface subscriptions needs channel."),
        ({"channel": "mail"}, "channel cannot be 'mail'."),
        ({"channel": "push"}, "Consent to push messages belongs to a device's token."),
        (
            {"channel": "email"},
            "The surface subscriptions needs the column consented_at, which is not selected.",
        ),
        ({"channel": "sms", "consent": "now"}, "The surface subscriptions knows people by phone_e164 alone."),
        ({"channel": "email", "consent": "then"}, "consent cannot be 'then'."),
        (
            {"channel": "email", "consent": "now", "consented_at_timezone": "Berlin"},
            "consented_at_timezone cannot be 'Berlin'.",
        ),
    ):
        world.model("newsletter", "select email from consents", surface="subscriptions", **config)
        with pytest.raises(UsageError) as caught:
            world.plan()
        assert summary in [problem.summary for problem in caught.value.problems]


def test_a_lost_reply_is_followed_by_another_read(world: World) -> None:
    """The second attempt finds who was subscribed by the first one, or who opted out since."""
    world.sandbox.change_rules(consent_seconds=0)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    assert outcomes(world.run()) == {"applied": 2}
    assert requests(world) == 1


def test_a_row_whose_request_fails_for_good_is_unknown(world: World) -> None:
    """The next run reads what came of it."""
    world.sandbox.change_rules(consent_seconds=0)
    world.fault(Fault(FaultKind.STATUS, path=SUBSCRIBE, times=None))
    consents(world, (ANN, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"unknown": 1}, 4)
    world.calm()
    assert outcomes(world.run()) == {"applied": 1}


def test_reads_that_take_too_long_subscribe_nobody(world: World, play_reads: PlayReads) -> None:
    """The consent that they show may be outdated."""

    def dawdle(document: Any) -> Any:
        world.clock.leap(6.0)
        return document

    play_reads(dawdle)
    consents(world, (ANN, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code, requests(world)) == ({"not_sent": 1}, 4, 0)


def test_a_consent_that_cannot_be_read_holds_its_row_alone(world: World, play_reads: PlayReads) -> None:
    """Missing evidence is no permission; the others are subscribed."""
    world.new_profile(email=ANN)

    def hide(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN:
                del resource["attributes"]["subscriptions"]
        return document

    play_reads(hide)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 1, "not_sent": 1}, 4)
    assert status(world, ANN) == "NEVER_SUBSCRIBED"


def test_a_profile_found_by_another_address_is_its_rows_person(world: World, play_reads: PlayReads) -> None:
    """Klaviyo may find a profile by a secondary address and show the first one: she opted out."""
    world.new_profile(email=ANN)
    world.sandbox.opt_out(ANN)

    def rename(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN:
                resource["attributes"]["email"] = "first@example.com"
        return document

    play_reads(rename)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), (CAT, LONG_AGO))
    result = world.run()
    assert outcomes(result) == {"applied": 2, "opted_out": 1}
    assert status(world, ANN) == "UNSUBSCRIBED"


def test_after_a_lost_reply_people_who_are_not_told_apart_are_unknown(
    world: World, play_reads: PlayReads
) -> None:
    """The first attempt may have subscribed each of them. The next run reads them one by one."""
    world.sandbox.change_rules(consent_seconds=0)

    def rename(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN and requests(world):
                resource["attributes"]["email"] = "first@example.com"
        return document

    play_reads(rename)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"unknown": 2}, 4)
    assert outcomes(world.run()) == {"applied": 2}
    assert requests(world) == 1


def test_a_row_that_leaves_is_forgotten_and_keeps_its_consent(world: World) -> None:
    """Nobody is unsubscribed because a row is gone."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    world.run()
    consents(world, (BOB, LONG_AGO))
    assert outcomes(world.run()) == {"left_in_place": 1}
    assert status(world, ANN) == "SUBSCRIBED"


def test_a_list_has_a_model_of_members_and_one_of_each_channel(world: World) -> None:
    """The list is made once. A member who leaves the first model is removed and stays subscribed."""
    world.sandbox.change_rules(list_seconds=30.0)
    world.people([{"email": ANN}, {"email": BOB}, {"email": CAT}])
    world.model("members", "select email from people", max_removes=1.0)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), list="Members")
    world.run()
    assert [one["name"] for one in world.sandbox.lists()] == ["Members"]
    assert world.emails() == [ANN, BOB, CAT]
    before = len(world.writes())
    assert {one.model: one.outcomes for one in world.run().lists} == {"members": {}, "newsletter": {}}
    assert len(world.writes()) == before
    world.people([{"email": BOB}, {"email": CAT}])
    world.run()
    assert (world.emails(), status(world, ANN)) == ([BOB, CAT], "SUBSCRIBED")


def test_a_member_by_subscription_alone_is_not_ours_to_remove(world: World) -> None:
    """The evidence of who was put on a list is of the model of its members alone."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.run()
    world.wait(3600.0)
    world.people([{"email": ANN}, {"email": BOB}])
    world.model("members", "select email from people", max_removes=1.0, min_rows=0)
    world.run()
    world.people([{"email": BOB}])
    result = world.run()
    assert one(result, "members").outcomes == {Outcome.UNMANAGED: 1}
    assert world.emails() == [ANN, BOB]


def test_two_models_of_one_channel_cannot_share_a_list(world: World) -> None:
    """Each of the two would say who consented."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.model(
        "other",
        "select email, consented_at from consents",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == (
        "The models newsletter and other use the same list 'Members' for its e-mail consent."
    )


def test_members_of_a_list_of_consent_cannot_be_adopted_or_compared(world: World) -> None:
    """Its model does not say who is on it."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.run()
    with pytest.raises(UsageError, match="owns no members"):
        world.project().adopt(["newsletter"])


@pytest.mark.parametrize("config", [{}, {"consent": "now"}])
def test_a_run_may_subscribe_ten_people_again_by_a_flag(world: World, config: dict[str, str]) -> None:
    """As present consent, which a past one can't be; complaints still hold."""
    emails = [f"p{number:02}@example.com" for number in range(13)]
    for email in emails:
        world.new_profile(email=email)
        world.sandbox.opt_out(email)
    world.sandbox.suppress(emails[0], "SPAM_REPORT")
    consents(world, *((email, None if config else LONG_AGO) for email in emails), **config)
    assert outcomes(world.run()) == {"opted_out": 13}
    assert outcomes(world.run()) == {}
    again = PlanOptions(allow=Allowances(resubscribe=["newsletter"]))
    assert outcomes(world.run(options=again)) == {"applied": 10, "opted_out": 3}
    assert [status(world, email) for email in emails].count("SUBSCRIBED") == 10
    assert status(world, emails[0]) == "UNSUBSCRIBED"
    assert outcomes(world.run()) == {}


def test_somebody_who_opts_out_at_once_is_subscribed_again_after_half_an_hour(world: World) -> None:
    """Klaviyo would ignore a consent that follows so soon, also one after a past consent."""
    world.new_profile(email=ANN)
    consents(world, (ANN, LONG_AGO))
    assert outcomes(world.run()) == {"applied": 1}
    world.sandbox.opt_out(ANN)
    again = PlanOptions(full_refresh=True, allow=Allowances(resubscribe=["newsletter"]))
    assert outcomes(world.run(options=again)) == {"not_sent": 1}
    assert status(world, ANN) == "UNSUBSCRIBED"
    world.wait(1900.0)
    assert outcomes(world.run(options=again)) == {"applied": 1}
    assert status(world, ANN) == "SUBSCRIBED"


def test_another_consent_within_half_an_hour_waits(world: World) -> None:
    """Klaviyo would ignore it in silence: the second list gets its people by the next run."""
    new_list(world, "single_opt_in")
    world.by_hand("POST", "/api/lists", {"data": {"type": "list", "attributes": SECOND_LIST}})
    consents(world, (ANN, None), consent="now", list="Members")
    select = "select email, consented_at from consents"
    config = {"surface": "subscriptions", "channel": "email", "consent": "now"}
    world.model("other", select, list="Others", **config)
    result = world.run()
    assert one(result, "newsletter").outcomes == {Outcome.APPLIED: 1}
    assert (one(result, "other").outcomes, result.exit_code) == ({Outcome.NOT_SENT: 1}, 1)
    world.wait(1900.0)
    assert one(world.run(), "other").outcomes == {Outcome.APPLIED: 1}
    assert (world.emails(), world.emails("Others")) == ([ANN], [ANN])


def test_a_person_suppressed_by_another_model_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even before Klaviyo shows it, and if the other model is not selected: subscribing would lift it."""
    columns = Columns(OtherColumns.REFUSED, identifiers=(IdentifierType.EMAIL,))
    silenced = replace(PROFILES, name="silenced", columns=columns, phase=Phase.SUPPRESSIONS)
    register(monkeypatch, silenced)
    world.people([{"email": ANN}])
    world.model("silenced", "select email from people", surface="silenced")
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    world.project().run(["silenced"])
    result = world.project().run(["newsletter"])
    assert outcomes(result) == {"applied": 1, "opted_out": 1}
    assert status(world, ANN) == "NEVER_SUBSCRIBED"


@pytest.mark.parametrize("channel", ["sms", "sms_transactional", "whatsapp", "whatsapp_transactional"])
def test_each_channel_of_a_phone_has_its_own_consent(world: World, channel: str) -> None:
    """One channel is subscribed, and no other; an opt-out of it holds."""
    phone = "+14155550100"
    world.people(
        [{"phone_e164": phone, "consented_at": LONG_AGO}],
        "phones",
        "phone_e164 VARCHAR, consented_at TIMESTAMPTZ",
    )
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel=channel)
    assert outcomes(world.run()) == {"applied": 1}
    assert subscribed_channels(world, phone) == {channel}
    medium, _, kind = channel.partition("_")
    world.sandbox.opt_out(phone, f"{medium}.{kind or 'marketing'}")
    world.model("texts", select, surface="subscriptions", channel=channel, custom_source="shop")
    result = world.run(options=PlanOptions(full_refresh=True))
    assert outcomes(result) == {"opted_out": 1}
    assert subscribed_channels(world, phone) == set()


def subscribed_channels(world: World, phone: str) -> set[str]:
    """Return the channels of a phone that a profile is subscribed to, by their names in models."""
    query = (
        f'/api/profiles?filter=equals(phone_number,"{quote(phone)}")&additional-fields[profile]=subscriptions'
    )
    (found,) = world.by_hand("GET", query)["data"]
    shown = found["attributes"]["subscriptions"]
    return {
        medium if kind == "marketing" else f"{medium}_{kind}"
        for medium in ("sms", "whatsapp")
        for kind, leaf in (shown[medium] or {}).items()
        if leaf["consent"] == "SUBSCRIBED"
    }


def test_transactional_consent_has_no_list(world: World) -> None:
    """People subscribe to marketing alone by a list."""
    world.people([{"phone_e164": "+14155550100"}], "phones")
    config = {"surface": "subscriptions", "channel": "sms_transactional", "consent": "now"}
    world.model("texts", "select phone_e164 from phones", list="Members", **config)
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == "The surface subscriptions has no list, but list is given."


def test_nobody_is_subscribed_that_a_row_that_waits_suppresses(world: World) -> None:
    """The guard of the suppressions keeps it back in this run."""
    world.new_profile(email=ANN)
    world.model("blocked", "select email from blocked", surface="suppressions", max_adds={"floor": 1})
    world.people([{"email": CAT}], "blocked")
    consents(world)
    world.run()
    world.run()
    world.people([{"email": each} for each in (ANN, BOB, CAT)], "blocked")
    consents(world, (ANN, LONG_AGO))
    assert one(world.run(), "newsletter").outcomes == {Outcome.OPTED_OUT: 1}
    assert status(world) == "NEVER_SUBSCRIBED"


def test_the_figures_of_the_status_are_those_of_the_run(world: World) -> None:
    """People who are pending or opted out are neither applied nor rejected, then and later."""
    new_list(world, "double_opt_in")
    world.new_profile(email=CAT)
    world.sandbox.opt_out(CAT)
    rows = [(ANN, None), (BOB, LONG_AGO), (CAT, None)]
    consents(world, *rows, list="Members", consent="now")
    assert outcomes(world.run()) == {"applied": 1, "pending": 1, "opted_out": 1}
    for _ in range(2):
        (shown,) = world.project().status().lists
        assert (shown.applied, shown.pending, shown.opted_out, shown.rejected) == (1, 1, 1, 0)
        world.run()
    world.sandbox.confirm_opt_in(ANN)
    world.run()
    (shown,) = world.project().status().lists
    assert (shown.applied, shown.pending, shown.opted_out, shown.rejected) == (2, 0, 1, 0)


def test_a_killed_run_shows_its_pending_consents_as_accepted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its receipts say that Klaviyo took them, which proves nothing."""
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), (BOB, LONG_AGO), list="Members", consent="now")
    send = Transport.send

    def die_at_read_back(transport: Transport, request: Request) -> TransportResult:
        if request.endpoint is Endpoint.PROFILES and requests(world) == 2:
            raise Interrupted
        return send(transport, request)

    monkeypatch.setattr(Transport, "send", die_at_read_back)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert interruption.answered == {"accepted": 2}


@pytest.mark.parametrize("ran", [False, True], ids=["never ran", "has a new row"])
def test_nobody_is_subscribed_that_a_model_suppresses_which_is_not_selected(
    world: World, *, ran: bool
) -> None:
    """The state does not know the row: the model's rows of now count."""
    world.new_profile(email=ANN)
    world.people([{"email": CAT}], "blocked")
    world.model("blocked", "select email from blocked", surface="suppressions")
    if ran:
        world.run()
    world.people([{"email": ANN}, {"email": CAT}], "blocked")
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run(select=["newsletter"])
    assert one(result).outcomes == {Outcome.OPTED_OUT: 1, Outcome.APPLIED: 1}
    assert status(world) == "NEVER_SUBSCRIBED"


def test_a_model_of_suppressions_that_does_not_compile_stops_the_consents(world: World) -> None:
    """Its people can't be known."""
    world.model("blocked", "select email frm blocked", surface="suppressions")
    consents(world, (ANN, LONG_AGO))
    with pytest.raises(UsageError, match="The model blocked suppresses people, and does not compile"):
        world.run(select=["newsletter"])
    assert requests(world) == 0


@pytest.mark.parametrize("config", [{}, {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0}])
def test_a_plan_says_whether_rows_that_left_are_removed_or_left_in_place(
    world: World, config: dict[str, Any]
) -> None:
    """Without `on_remove` nothing is sent for them."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), **config)
    world.run()
    consents(world, (BOB, LONG_AGO), **config)
    plan = world.plan()
    headings, (cells,) = plan_cells(plan)
    shown = dict(zip(headings, cells, strict=True))
    assert (shown["removes"], shown.get("left in place")) == ((1, None) if config else (0, 1))
    figures = plan.models[0].lists[0].figures()
    assert (figures["removes"], figures["left_in_place"]) == ((1, 0) if config else (0, 1))
