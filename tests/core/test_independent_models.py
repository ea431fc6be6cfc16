"""Trouble of one list keeps no other list, no suppression and no unsubscription from going out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.consent import ANN, BOB, CAT, LONG_AGO, consents, marketing, new_list, status
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.mark.parametrize("trouble", ["a guard", "a pending opt-in"])
def test_the_others_go_out(world: World, trouble: str) -> None:
    """The run says which list stopped or waits; everything else of it is carried out."""
    new_list(world, "double_opt_in")
    for email in (ANN, BOB, CAT):
        world.new_profile(email=email)
    leaving = {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0}
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), **leaving)
    world.people([{"email": ANN}], "club")
    world.model("club", "select email from club", list="Club")
    world.people([], "blocked", "email VARCHAR")
    world.model("blocked", "select email from blocked", surface="suppressions")
    world.people([{"email": f"p{number}@example.com"} for number in range(80)], "many")
    world.model("many", "select email from many", list="Many")
    world.people([], "asked", "email VARCHAR")
    world.model(
        "asked",
        "select email from asked",
        surface="subscriptions",
        channel="email",
        list="Members",
        consent="now",
    )
    world.run()
    consents(world, (BOB, LONG_AGO), **leaving)
    world.people([{"email": ANN}, {"email": BOB}], "club")
    world.people([{"email": CAT}], "blocked")
    if trouble == "a guard":
        world.people([{"email": "p1@example.com"}], "many")
    else:
        world.people([{"email": "dan@example.com"}], "asked", "email VARCHAR")
    result = world.run()
    assert result.exit_code == (3 if trouble == "a guard" else 0)
    assert only_list(result, "newsletter").outcomes == {Outcome.REMOVED: 1}
    assert only_list(result, "club").outcomes == {Outcome.APPLIED: 1}
    assert only_list(result, "blocked").outcomes == {Outcome.APPLIED: 1}
    assert status(world, ANN) == "UNSUBSCRIBED"
    assert world.emails("Club") == [ANN, BOB]
    assert [suppression["reason"] for suppression in marketing(world, CAT)["suppression"]] == [
        "USER_SUPPRESSED"
    ]
    if trouble == "a guard":
        assert len(world.emails("Many")) == 80
    else:
        assert only_list(result, "asked").outcomes == {Outcome.PENDING: 1}


def test_a_missing_scope_stops_only_the_models_that_need_it(world: World) -> None:
    """Their rows are not sent, the reason names the scope, and the next run with it continues."""
    world.new_profile(email=CAT)
    consents(world, (ANN, LONG_AGO))
    world.people([{"email": BOB}], "club")
    world.model("club", "select email from club", list="Club")
    world.people([{"email": CAT}], "blocked")
    world.model("blocked", "select email from blocked", surface="suppressions")
    world.sandbox.change_rules(missing_scopes=("subscriptions:write",))
    result = world.run()
    assert (only_list(result, "club").outcomes, result.exit_code) == ({Outcome.APPLIED: 1}, 4)
    for name in ("newsletter", "blocked"):
        assert only_list(result, name).outcomes == {Outcome.NOT_SENT: 1}
        assert "subscriptions:write" in only_list(result, name).stop_reason
    world.sandbox.change_rules(missing_scopes=())
    result = world.run()
    assert [only_list(result, name).outcomes for name in ("newsletter", "blocked")] == [
        {Outcome.APPLIED: 1}
    ] * 2


def test_a_suppression_needs_no_scope_to_read_its_job(world: World) -> None:
    """The job proves nothing, and is read for the message alone."""
    world.new_profile(email=CAT)
    world.people([{"email": CAT}], "blocked")
    world.model("blocked", "select email from blocked", surface="suppressions")
    world.sandbox.change_rules(suppression_seconds=3600.0, missing_scopes=("subscriptions:read",))
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNVERIFIED: 1}, 0)


def test_a_person_who_is_subscribed_and_suppressed_in_one_plan_is_not_subscribed(world: World) -> None:
    """The suppression goes out, and would be lifted by the subscription."""
    world.new_profile(email=ANN)
    world.people([{"email": ANN}], "blocked")
    world.model("blocked", "select email from blocked", surface="suppressions")
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert only_list(result, "blocked").outcomes == {Outcome.APPLIED: 1}
    assert only_list(result, "newsletter").outcomes == {Outcome.OPTED_OUT: 1, Outcome.APPLIED: 1}
    assert (result.exit_code, status(world, ANN)) == (1, "NEVER_SUBSCRIBED")
