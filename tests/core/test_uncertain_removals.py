"""Rule: doubt. A row whose removal was not made is not believed to be as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import BY_EMAIL, UNSENT, become, clubs_model, members_model, moves, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import World

MEMBERS = "/api/lists/*/relationships/profiles"


@pytest.mark.parametrize("unsent", UNSENT)
def test_a_person_who_returns_to_an_earlier_email_is_sent_again(world: World, unsent: str) -> None:
    """Ann's e-mail changes, her old row's removal is not made, and then the old e-mail is right after all.

    Her old row is remembered as it was, but the profile goes by the new e-mail: it is not to be believed.
    """
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob"))
    moves(world, [person("ann", email="ann2@example.com"), person("bob")], unsent)
    for _ in range(2):
        result = moves(world, people("ann", "bob"))
        assert world.emails() == ["ann@example.com", "bob@example.com"]
    assert only_list(result).outcomes == {}


def test_a_person_who_moves_between_lists_and_back_under_a_limit_is_sent_again(world: World) -> None:
    """The row sent to Coffee makes another person of the profile that waits for its removal from Tea."""
    clubs_model(world, max_removes=1.0, min_rows=0)
    rest = [person("bob", club="Tea"), person("cat", club="Coffee")]
    moves(world, [person("ann", club="Tea"), *rest])
    moves(world, [person("ann", email="ann2@example.com", club="Coffee"), *rest], "a limit")
    for _ in range(3):
        moves(world, [person("ann", club="Tea"), *rest])
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Coffee") == ["cat@example.com"]


def test_an_uncertain_row_without_a_profile_ends_as_not_found(members: World) -> None:
    """Only an earlier removal could have removed Ann, and there was none: somebody changed her e-mail."""
    become(members, [person("ann", customer_id=None), person("bob")])
    members.run()
    members.fault(Fault(FaultKind.CANCEL, rows=0))
    become(members, [person("ann", customer_id=None, first_name="Anne"), person("bob")])
    members.run()
    members.calm()
    members.rename("ann@example.com", email="other@example.com")
    become(members, people("bob"))
    assert only_list(members.run()).outcomes == {Outcome.NOT_FOUND: 1}
    assert members.state("SELECT identity FROM unmatched_removals") == [("email:ann@example.com",)]


def test_a_deferred_removal_that_then_fails_leaves_its_row_uncertain(members: World) -> None:
    """Two runs did not remove Ann, and somebody changed her e-mail: the outcome is not `removed`."""
    ann, bob = people("ann", "bob", customer_id=None)
    moves(members, [ann, bob])
    moves(members, [bob | {"first_name": "Rob"}], "a limit")
    moves(members, [bob], "a list that can't be read")
    members.rename("ann@example.com", email="other@example.com")
    assert only_list(moves(members, [bob])).outcomes == {Outcome.NOT_FOUND: 1}


@pytest.mark.parametrize("other", ["earlier", "later"])
def test_a_deferred_row_becomes_uncertain_if_another_model_sends_its_person(world: World, other: str) -> None:
    """Ann's new e-mail goes to another list, and she cannot be removed from the first; then it is undone."""
    names = {"earlier": ("b_members", "a_others"), "later": ("a_members", "b_others")}[other]
    for name, club in zip(names, ("Tea", "Coffee"), strict=True):
        select = f"select email, customer_id, first_name from people where club = '{club}'"
        kinds = {"email": "email", "external_id": "customer_id"}
        world.model(name, select, identifiers=kinds, list=club, max_removes=1.0, min_rows=0)
    rest = [person("bob", club="Tea"), person("cat", club="Coffee")]
    moves(world, [person("ann", club="Tea"), *rest])
    moves(world, [person("ann", email="ann2@example.com", club="Coffee"), *rest], "a list that can't be read")
    for _ in range(2):
        moves(world, [person("ann", club="Tea"), *rest])
    assert (world.emails("Tea"), world.emails("Coffee")) == (
        ["ann@example.com", "bob@example.com"],
        ["cat@example.com"],
    )


@pytest.mark.parametrize("refused", ["by a check", "by Klaviyo"])
def test_a_held_row_is_sent_again_after_others_were_sent(world: World, refused: str) -> None:
    """Ann's e-mail changes, and a rejected row with her phone holds her old row; then it is right again."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    ann, bob = person("ann", first_name="+14155550001"), person("bob", first_name=None)
    bad = person(
        "bad", email="bad@@x" if refused == "by a check" else "bad@example.com", first_name=ann["first_name"]
    )
    moves(world, [ann, bob])
    world.fault(Fault(FaultKind.REFUSE_ROWS, pattern="^bad", times=None))
    become(world, [ann | {"email": "ann2@example.com", "first_name": None}, bob, bad])
    held = only_list(world.run())
    assert held.list_plan.held_at_plan + held.outcomes.get(Outcome.HELD, 0) == 1
    world.calm()
    for _ in range(3):
        result = moves(world, [ann, bob])
    assert (world.emails(), only_list(result).outcomes) == (["ann@example.com", "bob@example.com"], {})


def test_a_desired_member_stays_whatever_a_limit_defers(world: World) -> None:
    """Ann's e-mail changes twice under a limit, and then back to the second: she was wanted every day."""
    members_model(world, max_removes=1.0)
    for email, unsent in (("ann", ""), ("ann2", "a limit"), ("ann3", "a limit"), ("ann2", ""), ("ann2", "")):
        result = moves(world, [person("ann", email=f"{email}@example.com"), person("bob")], unsent)
        assert f"{email}@example.com" in world.emails()
    assert (world.emails(), only_list(result).outcomes) == (["ann2@example.com", "bob@example.com"], {})


@pytest.mark.parametrize("unsent", UNSENT)
def test_a_row_whose_phone_passed_to_another_is_sent_again(world: World, unsent: str) -> None:
    """Ann leaves. Before she is removed, Ben gets her phone, and with it her profile; then she is back."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    phone = "+14155550001"
    ann, ben, cy = (person(name, first_name=None) for name in ("ann", "ben", "cy"))
    moves(world, [ann | {"first_name": phone}, cy])
    moves(world, [ben | {"first_name": phone}, cy], unsent)
    for _ in range(2):
        result = moves(world, [ann, ben, cy])
        assert world.emails() == ["ann@example.com", "ben@example.com", "cy@example.com"]
    assert only_list(result).outcomes == {}


def test_a_removal_counts_as_not_sent_if_the_run_was_killed_in_a_later_model(world: World) -> None:
    """Tea cannot be read, so nobody is removed from it; then the run is killed while it sends to Coffee."""
    for name, club in (("a", "Tea"), ("b", "Coffee")):
        select = f"select email, first_name from people where club = '{club}'"
        world.model(name, select, identifiers={"email": "email"}, list=club, max_removes=1.0, min_rows=0)
    rest = [person("bob", club="Tea"), person("cat", club="Coffee")]
    moves(world, [person("ann", club="Tea"), *rest])
    become(world, [*rest, person("dan", club="Coffee")])
    world.fault(Fault(FaultKind.STATUS, method="GET", path="/api/lists/*/profiles", status=503, times=None))
    assert world.dies(lambda event: isinstance(event, SendProgress))
    world.calm()
    world.wait(600.0)
    world.rename("ann@example.com", email="other@example.com")
    assert only_list(moves(world, [*rest, person("dan", club="Coffee")]), "a").outcomes == {
        Outcome.NOT_FOUND: 1
    }


def test_a_held_row_counts_as_not_sent_if_its_group_got_no_reply(world: World) -> None:
    """Nobody knows of the others. She was not sent: her removal did not happen, whatever did to them."""
    select = "select email, customer_id, first_name from people"
    world.model("members", select, identifiers=BY_EMAIL, max_removes=1.0, min_rows=0)
    rows = [person("ann"), person("bob"), person("cat", customer_id=None), person("dan", customer_id=None)]
    moves(world, rows)
    world.rename("bob@example.com", email="bob.new@example.com", external_id="c-bobby")
    world.rename("cat@example.com", external_id="c-bob")
    world.fault(Fault(FaultKind.CUT, "DELETE", MEMBERS, times=8, after=True))
    held = only_list(moves(world, people("ann", "bob"))).outcomes
    assert held == {Outcome.HELD: 1, Outcome.UNKNOWN: 1}
    world.rename("cat@example.com", email="kitty@example.com", external_id="c-kit")
    result = only_list(moves(world, people("ann", "bob")))
    assert "kitty@example.com" in world.emails()
    assert result.outcomes == {Outcome.NOT_FOUND: 1, Outcome.REMOVED: 1}
