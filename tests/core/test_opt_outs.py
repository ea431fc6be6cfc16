"""People who opted out, complained or are suppressed are not subscribed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import OptOut
from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.surfaces.interface import Columns, OtherColumns, Phase
from reverse_etl.surfaces.profiles import PROFILES
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    at,
    consents,
    marketing,
    outcomes,
    requests,
    status,
)
from tests.core.world import World, only_list
from tests.surfaces import register


def test_a_person_who_opted_out_is_left_alone(world: World) -> None:
    """The row asks for attention once, then is only a count; nothing is sent, whatever the model changes."""
    world.new_profile(email=ANN)
    world.sandbox.opt_out(ANN)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"opted_out": 1, "applied": 1}, 1)
    assert (status(world), requests(world)) == ("UNSUBSCRIBED", 1)
    again = world.run()
    assert (outcomes(again), again.exit_code, only_list(again).list_plan.rejected_by_check) == ({}, 0, 1)
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


@pytest.mark.parametrize("config", [{}, {"consent": "now"}])
def test_a_suppression_is_not_lifted(world: World, config: dict[str, str]) -> None:
    """Neither by a newer consent nor by one of now."""
    reasons = {ANN: "USER_SUPPRESSED", BOB: "SPAM_REPORT", CAT: "SOMETHING_NEW"}
    for email, reason in reasons.items():
        world.new_profile(email=email)
        world.sandbox.suppress(email, reason)
    world.wait(3600.0)
    consents(world, *((email, None if config else at(world, -60.0)) for email in reasons), **config)
    assert outcomes(world.run()) == {"opted_out": 3}
    for email, reason in reasons.items():
        assert [entry["reason"] for entry in marketing(world, email)["suppression"]] == [reason]
    assert requests(world) == 0
    stored = world.state("SELECT row_key, code, field FROM rejections ORDER BY row_key")
    assert stored == [
        (f"email:{email}", "opted_out", {"SOMETHING_NEW": OptOut.UNKNOWN}.get(reason, reason.lower()))
        for email, reason in reasons.items()
    ]
    for rejected in world.project().status().lists[0].rejections:
        assert rejected.reason.describe().startswith(("opted out: complained", "opted out: suppressed"))


def test_a_bounced_address_is_rejected(world: World) -> None:
    """No consent makes it reachable."""
    world.new_profile(email=ANN)
    world.sandbox.suppress(ANN, "HARD_BOUNCE")
    consents(world, (ANN, LONG_AGO))
    assert outcomes(world.run()) == {"rejected_by_klaviyo": 1}
    assert requests(world) == 0


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
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.OPTED_OUT: 1}
    assert status(world) == "NEVER_SUBSCRIBED"


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
    assert only_list(result).outcomes == {Outcome.OPTED_OUT: 1, Outcome.APPLIED: 1}
    assert status(world) == "NEVER_SUBSCRIBED"


def test_a_model_of_suppressions_that_does_not_compile_stops_the_consents(world: World) -> None:
    """Its people can't be known."""
    world.model("blocked", "select email frm blocked", surface="suppressions")
    consents(world, (ANN, LONG_AGO))
    with pytest.raises(UsageError, match="The model blocked suppresses people, and does not compile"):
        world.run(select=["newsletter"])
    assert requests(world) == 0
