"""`on_remove='unsubscribe'`: only people of the model, and nobody from more than the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    SUBSCRIBE,
    consents,
    marketing,
    new_list,
    status,
    subscribe_by_hand,
)
from tests.core.unsubscriptions import (
    members_and_consents,
    requests,
    subscribe_two,
    subscribe_two_members,
    subscribe_two_of_a_list,
    unsubscribing,
)
from tests.core.world import Interrupted, only_list
from tests.paths import UNSUBSCRIBE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World


def test_a_person_who_leaves_the_model_is_unsubscribed(prepare_world: PrepareWorld) -> None:
    """Proved by the profile, and forgotten; the others stay subscribed."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    result = world.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 1}
    assert (status(world, ANN), status(world, BOB)) == ("UNSUBSCRIBED", "SUBSCRIBED")
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]
    assert (only_list(world.run()).outcomes, requests(world)) == ({}, 1)


def test_without_the_setting_nobody_is_unsubscribed(world: World) -> None:
    """A row that leaves is forgotten."""
    unsubscribing(world, ANN, BOB, on_remove="")
    world.run()
    unsubscribing(world, BOB, on_remove="")
    assert only_list(world.run()).outcomes == {Outcome.LEFT_IN_PLACE: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_a_person_subscribed_before_the_model_stays_so(world: World) -> None:
    """The model changed nothing, so that it has nothing to take back."""
    world.new_profile(email=ANN)
    subscribe_by_hand(world, ANN)
    unsubscribing(world, ANN, BOB)
    world.run()
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_a_person_whose_subscription_got_no_reply_is_the_models_own(world: World) -> None:
    """The next attempt reads that the first one subscribed her."""
    world.sandbox.change_rules(consent_seconds=0.0)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    unsubscribing(world, ANN, BOB)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert (status(world, ANN), status(world, BOB)) == ("UNSUBSCRIBED", "SUBSCRIBED")


def test_a_person_who_consented_again_stays_subscribed(prepare_world: PrepareWorld) -> None:
    """The consent shows neither our time nor our source."""
    world = prepare_world(subscribe_two)
    world.sandbox.opt_out(ANN)
    world.wait(3600.0)
    subscribe_by_hand(world, ANN)
    assert status(world, ANN) == "SUBSCRIBED"
    unsubscribing(world, BOB)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_with_a_list_only_the_list_is_lost(prepare_world: PrepareWorld) -> None:
    """The member leaves the list, and stays subscribed to everything else."""
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == [BOB]
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 1)


def test_somebody_off_the_list_is_held_and_not_unsubscribed_from_everything(world: World) -> None:
    """Klaviyo would unsubscribe her from every list. Her row is held; the others of the batch are sent."""
    unsubscribing(world, ANN, BOB, CAT, list="Members")
    world.run()
    world.take_off_list(ANN)
    unsubscribing(world, CAT, list="Members")
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.HELD: 1, Outcome.REMOVED: 1}, 1)
    assert world.emails() == [CAT]
    assert (status(world, ANN), marketing(world, ANN)["suppression"]) == ("SUBSCRIBED", [])


def test_a_held_person_who_is_on_the_list_again_is_unsubscribed_from_it(prepare_world: PrepareWorld) -> None:
    """A held row was not sent: nothing says that a request of ours removed her, and she stays off the list.

    Other rows are sent in the run, so that the held row is uncertain.
    """
    world = prepare_world(subscribe_two_members)
    world.take_off_list(ANN)
    members_and_consents(world, [ANN, BOB], [BOB, CAT])
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.APPLIED: 1, Outcome.HELD: 1}
    assert ANN not in world.emails()
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)
    world.put_on_list(world.list_id("Members"), world.person(ANN)["id"])
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.REMOVED: 1}
    assert len(marketing(world, ANN)["list_suppressions"]) == 1


def test_a_member_who_was_removed_before_her_consent_left_is_held_once(prepare_world: PrepareWorld) -> None:
    """The next run forgets her row: she gets no mails of the list, and keeps her other consents."""
    world = prepare_world(subscribe_two_members)
    members_and_consents(world, [BOB], [ANN, BOB])
    assert only_list(world.run(), "members").outcomes == {Outcome.REMOVED: 1}
    members_and_consents(world, [BOB], [BOB])
    ends = []
    for _ in range(3):
        result = world.run()
        ends.append((only_list(result, "newsletter").outcomes, result.exit_code))
    assert ends == [({Outcome.HELD: 1}, 1), ({Outcome.UNMANAGED: 1}, 0), ({}, 0)]
    assert requests(world) == 0
    assert (status(world, ANN), world.emails()) == ("SUBSCRIBED", [BOB])
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]


def test_a_kill_before_the_request_is_no_reason_to_think_that_it_was_sent(
    world: World, die_after: Callable[[Endpoint], None]
) -> None:
    """She was removed from the list by hand: her row is held, and no other model puts her on it again."""
    members_and_consents(world, [ANN, BOB, CAT], [ANN, BOB, CAT])
    world.run()
    world.take_off_list(ANN)
    members_and_consents(world, [ANN, BOB, CAT], [BOB])
    die_after(Endpoint.PROFILES)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert (interruption.answered, interruption.unanswered) == ({}, 2)
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.HELD: 1, Outcome.REMOVED: 1}
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert world.emails() == [BOB, CAT]
    assert (status(world, ANN), marketing(world, ANN)["suppression"]) == ("SUBSCRIBED", [])


def test_a_request_whose_reply_a_kill_lost_is_shown_as_unknown(
    prepare_world: PrepareWorld, die_after: Callable[[Endpoint], None]
) -> None:
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    die_after(Endpoint.UNSUBSCRIBE)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert (interruption.answered, interruption.unanswered) == ({"unknown": 1}, 0)


def test_a_person_of_another_model_is_not_unsubscribed_from_everything(world: World) -> None:
    """The other model's list needs the consent."""
    unsubscribing(world, ANN, BOB)
    world.model(
        "club",
        "select email, consented_at from consents",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    world.run()
    unsubscribing(world, BOB)
    world.model(
        "club",
        f"select '{ANN}' as email, cast('{LONG_AGO}' as timestamptz) as consented_at",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_many_leaving_rows_trip_the_guard(world: World) -> None:
    """As removals from a list do: nobody is unsubscribed because a table was empty."""
    emails = [f"p{number}@example.com" for number in range(30)]
    unsubscribing(world, *emails, max_removes=0.1)
    world.run()
    unsubscribing(world, *emails[:10], max_removes=0.1)
    with pytest.raises(GuardRefused):
        world.run()
    assert requests(world) == 0


def test_a_lost_reply_is_read_back(prepare_world: PrepareWorld) -> None:
    """The second attempt finds who is unsubscribed already; after a failure the next run does."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True, times=None))
    result = world.run()
    assert sum(only_list(result).outcomes.values()) == 1
    world.calm()
    world.run()
    assert status(world, ANN) == "UNSUBSCRIBED"
    assert world.state("SELECT identity FROM consents") == [(f"email:{BOB}",)]


def test_a_consent_that_cannot_be_read_holds_its_row(
    prepare_world: PrepareWorld, play_reads: Callable[[Callable[[Any], Any]], None]
) -> None:
    """Missing evidence is no permission."""
    world = prepare_world(subscribe_two)

    def hide(document: Any) -> Any:
        for resource in document["data"]:
            resource["attributes"].pop("subscriptions", None)
        return document

    play_reads(hide)
    unsubscribing(world, BOB)
    result = world.run()
    assert (only_list(result).outcomes, requests(world)) == ({Outcome.HELD: 1}, 0)


def test_a_row_that_is_still_pending_is_forgotten(world: World) -> None:
    """Nothing shows that the model subscribed her."""
    new_list(world, "double_opt_in")
    config = {
        "on_remove": "unsubscribe",
        "max_removes": 1.0,
        "min_rows": 0,
        "list": "Members",
        "consent": "now",
    }
    consents(world, (ANN, None), (BOB, None), **config)
    world.run()
    world.sandbox.confirm_opt_in(ANN)
    consents(world, (BOB, None), **config)
    world.run()
    consents(world, **config)
    assert only_list(world.run()).outcomes == {Outcome.UNMANAGED: 1}
    assert requests(world) <= 1


def test_the_setting_has_one_value(world: World) -> None:
    """Anything else is a mistake."""
    unsubscribing(world, ANN, on_remove="delete")
    with pytest.raises(UsageError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == "on_remove cannot be 'delete'."


def test_a_merged_model_keeps_its_own_consents(prepare_world: PrepareWorld) -> None:
    """The consents of a model that was renamed too late are those of the model that continues it."""
    world = prepare_world(subscribe_two)
    text = (world.folder / "models" / "newsletter.sql").read_text("utf-8")
    world.drop_model("newsletter")
    (world.folder / "models" / "letter.sql").write_text(text, "utf-8")
    world.run()
    world.project().state_changes.rename("newsletter", "letter")
    assert world.state("SELECT DISTINCT model, identity FROM consents ORDER BY 2") == [
        ("letter", f"email:{ANN}"),
        ("letter", f"email:{BOB}"),
    ]


def test_a_person_who_leaves_list_and_consent_at_once_is_unsubscribed_first(world: World) -> None:
    """A person who is no longer a member could not be unsubscribed from the list alone."""
    world.model("members", "select email from consents", max_removes=1.0, min_rows=0)
    unsubscribing(world, ANN, BOB, list="Members")
    world.run()
    unsubscribing(world, BOB, CAT, list="Members")
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.REMOVED: 1, Outcome.APPLIED: 1}
    assert only_list(result, "members").outcomes == {Outcome.NOT_FOUND: 1, Outcome.APPLIED: 1}
    assert sorted(world.emails()) == [BOB, CAT]
    assert len(marketing(world, ANN)["list_suppressions"]) == 1
    assert {listed.model: listed.outcomes for listed in world.run().lists} == {
        "members": {},
        "newsletter": {},
    }


@pytest.mark.parametrize("times", [1, None], ids=["once", "for a run"])
def test_a_lost_reply_of_a_list_ends_too(prepare_world: PrepareWorld, times: int | None) -> None:
    """A person that the first attempt removed from the list is not held like one who was never on it."""
    world = prepare_world(subscribe_two_of_a_list)
    unsubscribing(world, BOB, list="Members")
    world.fault(Fault(FaultKind.CUT, path=UNSUBSCRIBE, after=True, times=times))
    world.run()
    world.calm()
    world.run()
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({}, 0)
    assert (world.emails(), status(world, ANN)) == ([BOB], "SUBSCRIBED")


def test_a_person_of_a_rejected_row_of_another_model_is_not_unsubscribed_from_everything(
    prepare_world: PrepareWorld,
) -> None:
    """The row is rejected by a check, so that the state does not know it."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, BOB)
    columns = "email VARCHAR, consented_at TIMESTAMPTZ"
    world.people([{"email": ANN}, {"email": CAT, "consented_at": LONG_AGO}], "club", columns)
    club = "select email, consented_at from club"
    world.model("club", club, surface="subscriptions", channel="email", list="Members")
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)


def test_rows_that_a_guard_keeps_back_are_counted_once(prepare_world: PrepareWorld) -> None:
    """Another model goes on, so that the run does."""
    world = prepare_world(subscribe_two)
    unsubscribing(world, min_rows=1)
    world.people([{"email": CAT}])
    world.model("members", "select email from people")
    result = world.run()
    assert (only_list(result, "newsletter").outcomes, result.exit_code) == ({Outcome.NOT_SENT: 2}, 3)
    assert (status(world, ANN), requests(world)) == ("SUBSCRIBED", 0)
