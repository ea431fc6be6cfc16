"""The surface `subscriptions`: who becomes subscribed, by what the model says and what a read shows."""

from __future__ import annotations

from typing import Any

import pytest

from reverse_etl.cli.output.json import plan_document
from reverse_etl.cli.output.plan import plan_cells, show_plan
from reverse_etl.cli.output.plan_csv import print_plan_csv
from reverse_etl.cli.output.plan_markdown import print_plan_markdown
from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    consents,
    marketing,
    new_list,
    outcomes,
    requests,
    status,
)
from tests.core.world import World, only_list

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
    assert (outcomes(again), only_list(again).list_plan.unchanged, requests(world)) == ({}, 2, 1)


def test_people_are_subscribed_to_push_messages(world: World) -> None:
    """By their e-mail, whose own consent stays as it is. An opt-out of push messages holds."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), channel="push")
    assert outcomes(world.run()) == {"applied": 2}
    query = f'/api/profiles?filter=equals(email,"{ANN}")&additional-fields[profile]=subscriptions'
    (profile,) = world.by_hand("GET", query)["data"]
    shown = profile["attributes"]["subscriptions"]["mobile_push"]["marketing"]
    assert (shown["consent"], status(world)) == ("SUBSCRIBED", "NEVER_SUBSCRIBED")
    assert (outcomes(world.run()), requests(world)) == ({}, 1)
    world.sandbox.opt_out(ANN, "push.marketing")
    result = world.run(options=PlanOptions(full_refresh=True))
    assert (outcomes(result), requests(world)) == ({"applied": 1, "opted_out": 1}, 1)


@pytest.mark.parametrize("reason", ["SPAM_REPORT", "USER_SUPPRESSED", "UNSUBSCRIBE"])
@pytest.mark.parametrize("channel", ["push", "sms"])
def test_a_complaint_about_mails_holds_other_channels_too(world: World, channel: str, reason: str) -> None:
    """A subscription might lift it; that somebody gets no mails alone is no reason."""
    world.new_profile(email=ANN, phone_number="+14155550100")
    world.sandbox.suppress(ANN, reason)
    key, value = ("email", ANN) if channel == "push" else ("phone_e164", "+14155550100")
    world.people([{key: value}], "people")
    world.model(
        "newsletter", f"select {key} from people", surface="subscriptions", channel=channel, consent="now"
    )
    assert outcomes(world.run()) == {"applied" if reason == "UNSUBSCRIBE" else "opted_out": 1}


def test_people_are_subscribed_to_a_list(world: World) -> None:
    """With a list they also become members, even those who had consented before."""
    consents(world, (ANN, LONG_AGO))
    world.run()
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), list="Members")
    result = world.run()
    assert world.emails() == [ANN, BOB]
    assert outcomes(result) == {"applied": 2}


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


def test_a_model_says_channel_and_time(world: World) -> None:
    """Nothing is assumed: neither the channel nor that people consent now."""
    world.people([{"email": ANN}], "consents")
    for config, summary in (
        ({}, "The surface subscriptions needs channel."),
        ({"channel": "mail"}, "channel cannot be 'mail'."),
        (
            {"channel": "push", "consent": "now", "on_remove": "unsubscribe"},
            "on_remove cannot be used with channel='push'.",
        ),
        (
            {"channel": "push", "consent": "now", "list": "Members"},
            "The surface subscriptions has no list, but list is given.",
        ),
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


def test_a_row_that_leaves_is_forgotten_and_keeps_its_consent(world: World) -> None:
    """Nobody is unsubscribed because a row is gone."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    world.run()
    consents(world, (BOB, LONG_AGO))
    assert outcomes(world.run()) == {"left_in_place": 1}
    assert status(world, ANN) == "SUBSCRIBED"


@pytest.mark.parametrize("config", [{}, {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0}])
def test_a_plan_says_whether_rows_that_left_are_removed_or_left_in_place(
    world: World, capsys: pytest.CaptureFixture[str], config: dict[str, Any]
) -> None:
    """Without `on_remove` nothing is sent for them, and no format of the plan shows a removal."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), **config)
    world.run()
    consents(world, (BOB, LONG_AGO), **config)
    plan = world.plan()
    headings, (cells,) = plan_cells(plan)
    shown = dict(zip(headings, cells, strict=True))
    assert (shown["removes"], shown.get("left in place")) == ((1, None) if config else (0, 1))
    figures = plan.models[0].lists[0].figures()
    assert (figures["removes"], figures["left_in_place"]) == ((1, 0) if config else (0, 1))
    show_plan(plan, show_values=True)
    print_plan_markdown(plan, world.project().target, "", show_values=True)
    note = "left in place: nothing is sent for it"
    changes = [line.strip() for line in capsys.readouterr().out.splitlines() if ANN in line]
    assert changes == [f"- {ANN}" if config else f"= {ANN}   {note}"] * 2
    (change,) = plan_document(plan, show_values=True)["lists"][0]["sample"]
    assert change["op"] == ("remove" if config else "left_in_place")
    print_plan_csv(plan, show_values=True)
    assert f",{change['op']},{ANN}," in capsys.readouterr().out


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
    (planned,) = world.plan().models[0].lists
    assert planned.opted_out_before == 1
    assert [(rejection.rows, rejection.reason.describe()) for rejection in planned.check_rejections] == [
        (1, "opted out earlier, and nobody is subscribed over that")
    ]
    assert "opted out" in {*plan_cells(world.plan())[0]}
    world.sandbox.confirm_opt_in(ANN)
    world.run()
    (shown,) = world.project().status().lists
    assert (shown.applied, shown.pending, shown.opted_out, shown.rejected) == (2, 0, 1, 0)
