"""Rule: removal. Members that are removed from a list, and those that never are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.rows import become, many, members_model, moves, people, person, send_two
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World

ALL = {"allow_removes": ["members"]}


def test_a_person_who_left_the_model_is_removed_from_the_list(prepare_world: PrepareWorld) -> None:
    """Ann and Bob are sent; Bob leaves the model, and so the list. His profile stays."""
    members = prepare_world(send_two)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, people("ann"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]
    assert members.sandbox.profile_count() == 2


def test_a_person_with_a_new_email_stays_and_can_leave_later(prepare_world: PrepareWorld) -> None:
    """Ann's e-mail changes, and Klaviyo gives it to the same profile: nobody is removed.

    Her row is new, but she has been a member since the old row was sent. When she leaves at last, she is
    removed. Otherwise she would count as a member from before our time, and stay for ever.
    """
    members = prepare_world(send_two)
    members.wait()
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REPLACED: 1}
    assert members.emails() == ["ann2@example.com", "bob@example.com"]
    members.wait()
    become(members, people("bob"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["bob@example.com"]


def test_the_old_profile_leaves_if_a_new_email_makes_a_new_profile(
    make_world: Callable[..., World],
) -> None:
    """If Klaviyo does not match external ids, the new e-mail is a new profile. The old profile is removed."""
    world = make_world(match_external_id=False)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    become(world, [person("ann", email="ann2@example.com"), person("bob")])
    result = world.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com"]


@pytest.mark.parametrize("ahead", [-7_200.0, 7_200.0])
def test_a_wrong_local_clock_does_not_change_removals(make_world: Callable[..., World], ahead: float) -> None:
    """Joining times are compared in Klaviyo's time; the time of this machine may be hours off.

    Cat joined manually ten minutes before the first run, and stays; Bob was added by it, and is removed.
    """
    world = make_world(klaviyo_ahead=ahead)
    members_model(world, max_removes=1)
    listed = world.new_list()
    world.put_on_list(listed, world.new_profile(email="cat@example.com"))
    world.wait(600.0)
    moves(world, people("ann", "bob", "cat"))
    result = moves(world, people("ann"))
    assert only_list(result).outcomes == {Outcome.REMOVED: 1, Outcome.UNMANAGED: 1}
    assert world.emails() == ["ann@example.com", "cat@example.com"]


def test_a_member_who_joined_before_our_first_run_is_never_removed(members: World) -> None:
    """Ann put herself on the list; then the model has her, and then it has not.

    Her place is hers, and the run says so.
    """
    ann = members.new_profile(email="ann@example.com")
    members.put_on_list(members.new_list(), ann)
    members.wait()
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("bob"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.UNMANAGED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, people("cat"))
    members.run(**ALL)
    assert members.emails() == ["ann@example.com", "cat@example.com"]


@pytest.mark.parametrize(("seconds", "outcome"), [(40.0, Outcome.REMOVED), (70.0, Outcome.UNMANAGED)])
def test_joining_times_are_compared_with_a_tolerance_of_a_minute(
    make_world: Callable[..., World], seconds: float, outcome: Outcome
) -> None:
    """The joining time of a member may be some seconds behind the time in Klaviyo's replies.

    A member who seems to have joined that shortly before the job first sent her was added by the job.
    """
    world = make_world()
    members_model(world)
    world.put_on_list(world.new_list(), world.new_profile(email="ann@example.com"))
    world.wait(seconds)
    become(world, people("ann", "bob"))
    world.run()
    become(world, people("bob"))
    assert only_list(world.run()).outcomes == {outcome: 1}


def test_a_member_who_was_never_sent_is_never_removed(members: World) -> None:
    """A list may have other members; those who were never in the model are left alone."""
    members.put_on_list(members.new_list(), members.new_profile(email="zoe@example.com"))
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("bob"))
    members.run()
    assert members.emails() == ["bob@example.com", "zoe@example.com"]


def test_a_person_with_two_profiles_leaves_with_both(make_world: Callable[..., World]) -> None:
    """Her e-mail changed, and an import that does not match by external id made another profile of her."""
    world = make_world(match_external_id=False)
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    become(world, [person("ann"), person("bob")])
    world.run()
    become(world, [person("ann", email="anna@example.com"), person("bob")])
    world.run()
    assert world.emails() == ["ann@example.com", "anna@example.com", "bob@example.com"]
    become(world, [person("bob")])
    world.run()
    assert world.emails() == ["bob@example.com"]


def test_a_leaving_row_without_a_profile_is_reported_as_not_found(prepare_world: PrepareWorld) -> None:
    """Bob was removed manually. He is forgotten, and noted in the table of unmatched removals."""
    members = prepare_world(send_two)
    listed, bob = members.list_id(), members.person("bob@example.com")["id"]
    members.by_hand(
        "DELETE", f"/api/lists/{listed}/relationships/profiles", {"data": [{"type": "profile", "id": bob}]}
    )
    become(members, people("ann"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.NOT_FOUND: 1}
    assert members.state("SELECT list_id, identity FROM unmatched_removals") == [
        (listed, "email:bob@example.com")
    ]
    assert only_list(members.run()).list_plan.removes == 0


def test_a_leaving_row_with_only_an_external_id_is_found_by_it(world: World) -> None:
    """Klaviyo can't filter a list by external id.

    The profile is looked up, and the list is read from when we began.
    """
    world.model("members", "select customer_id from people", identifiers={"external_id": "customer_id"})
    become(world, people("ann", "bob", "cat"))
    world.run()
    become(world, people("ann"))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 2}
    assert [member["external_id"] for member in world.members()] == ["c-ann"]


def test_a_leaving_member_with_a_changed_email_is_found_by_another_identifier(
    prepare_world: PrepareWorld,
) -> None:
    """Every identifier that was delivered counts.

    Bob changed his e-mail at Klaviyo, and is found by his customer id.
    """
    members = prepare_world(send_two)
    bob = members.person("bob@example.com")["id"]
    attributes = {"email": "robert@example.com"}
    members.by_hand(
        "PATCH", f"/api/profiles/{bob}", {"data": {"type": "profile", "id": bob, "attributes": attributes}}
    )
    become(members, people("ann"))
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


@pytest.mark.parametrize(
    ("leaving", "requests"), [pytest.param(99, 1, marks=pytest.mark.long), (101, 1), (1_005, 2)]
)
def test_every_page_of_leaving_members_is_read_and_removed(
    members: World, leaving: int, requests: int
) -> None:
    """One tool removed the first 20 of 1,000 and called the others removed too."""
    become(members, many(leaving + 5))
    members.run()
    before = len(members.writes())
    become(members, many(5))
    result = members.run(**ALL)
    assert only_list(result).outcomes == {Outcome.REMOVED: leaving}
    assert len(members.members()) == 5
    sent = members.writes()[before:]
    assert [entry.method for entry in sent] == ["DELETE"] * requests
    assert sum(entry.rows for entry in sent) == leaving


def test_the_profiles_surface_removes_and_holds_nobody(world: World) -> None:
    """A row that leaves is forgotten, be it like a rejected one or not; consent and profile stay."""
    world.model(
        "everyone",
        "select email, customer_id from people",
        surface="profiles",
        identifiers={"email": "email", "external_id": "customer_id"},
    )
    become(world, people("ann", "bob", "cat"))
    world.run()
    before = len(world.writes())
    become(world, [person("ann"), person("bob", email="bob at example")])
    result = world.run()
    assert only_list(result).list_plan.held_at_plan == 0
    assert only_list(result).outcomes == {Outcome.LEFT_IN_PLACE: 2}
    assert len(world.writes()) == before
    assert world.sandbox.profile_count() == 3


def test_a_changed_klaviyo_id_does_not_leave_the_old_member_behind(world: World) -> None:
    """A model by profile id names another id today: the one is added, the other removed."""
    ann, bob, cat = (world.new_profile(email=f"{name}@example.com") for name in ("ann", "bob", "cat"))
    world.model("picked", "select klaviyo_profile_id from people", surface="list_memberships_by_profile_id")
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": bob}])
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": cat}])
    result = world.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "cat@example.com"]


def test_an_id_that_nobody_has_is_rejected_and_the_others_are_added(world: World) -> None:
    """A 204 says nothing of single ids: each is checked to exist before its first use."""
    ann = world.new_profile(email="ann@example.com")
    world.model("picked", "select klaviyo_profile_id from people", surface="list_memberships_by_profile_id")
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": "01NOBODY"}])
    result = world.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert world.emails() == ["ann@example.com"]


def test_removing_leaves_consent_alone(prepare_world: PrepareWorld) -> None:
    """Taking someone off a list is a DELETE of the membership; nothing else is deleted."""
    members = prepare_world(send_two)
    become(members, people("ann"))
    members.run()
    paths = {entry.path.split("/")[2] for entry in members.writes()}
    assert paths == {"lists", "profile-bulk-import-jobs"}
