"""Adopt: the current members of a list count as added by this job, and the model decides who stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, UsageError
from tests.core.rows import become, clubs_model, many, members_model, moves, people, person
from tests.core.test_reconcile import figures, kept
from tests.core.world import only_list

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.reconcile.drift import ListDifference
    from tests.core.world import PrepareWorld, World


def old_list(world: World, *emails: str, **attributes: Any) -> None:
    """Let a list have members before this job has anything to do with it."""
    list_id = world.new_list()
    world.put_on_list(list_id, *(world.new_profile(email=email, **attributes) for email in emails))
    world.wait(600.0)


def meet_old_members(world: World) -> None:
    """Let a model send people to a list that has members."""
    old_list(world, "ann@example.com", "old@example.com")
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bo"))


def adopted(world: World, *models: str, **options: Any) -> ListDifference:
    """Adopt the lists of models, and return what was found of the only one."""
    (difference,) = world.project().adopt(models or ["members"], **options)
    return difference


def test_existing_members_stay_until_they_are_adopted_and_then_follow_the_model(
    prepare_world: PrepareWorld,
) -> None:
    """Old is of no row; ann is a row's person, and leaves later."""
    world = prepare_world(meet_old_members)
    assert world.emails() == ["ann@example.com", "bo@example.com", "old@example.com"]
    assert figures(adopted(world)) == {"applied": 2, "members": 3, "unmanaged": 1, "already_members": 1}
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "bo@example.com"]
    assert only_list(moves(world, people("bo"))).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bo@example.com"]


def test_members_who_are_not_adopted_stay(prepare_world: PrepareWorld) -> None:
    world = prepare_world(meet_old_members)
    assert only_list(moves(world, people("bo"))).outcomes == {Outcome.UNMANAGED: 1}
    assert world.emails() == ["ann@example.com", "bo@example.com", "old@example.com"]


def test_a_member_who_was_kept_can_be_adopted_later(world: World) -> None:
    old_list(world, "ann@example.com")
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bo"))
    moves(world, people("bo"))
    assert figures(adopted(world)) == {"applied": 1, "members": 2, "unmanaged": 1}
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bo@example.com"]


def test_an_adopted_member_with_a_row_stays_and_gets_its_values(world: World) -> None:
    """The model returns her from now on: that is an update, and she never leaves the list."""
    old_list(world, "ann@example.com")
    members_model(world)
    moves(world, people("bo"))
    adopted(world)
    result = only_list(moves(world, people("ann", "bo")))
    assert result.outcomes == {Outcome.APPLIED: 1}
    assert (result.list_plan.updates, result.list_plan.removes) == (1, 0)
    assert world.person("ann@example.com")["first_name"] == "Ann"
    assert not [entry for entry in world.writes() if entry.method == "DELETE"]


def test_a_member_adopted_under_another_identifier_is_matched_to_its_row(world: World) -> None:
    """She has no e-mail at Klaviyo yet, and is c-ann: the row that has both is hers."""
    list_id = world.new_list()
    world.put_on_list(list_id, world.new_profile(external_id="c-ann", phone_number="+14155550100"))
    world.wait(600.0)
    members_model(world, max_removes=1.0)
    moves(world, people("bo"))
    assert figures(adopted(world))["unmanaged"] == 1
    assert only_list(moves(world, people("ann", "bo"))).outcomes == {Outcome.APPLIED: 1, Outcome.REPLACED: 1}
    assert world.emails() == ["ann@example.com", "bo@example.com"]
    assert not only_list(world.run()).outcomes
    assert only_list(moves(world, people("bo"))).outcomes == {Outcome.REMOVED: 1}


def test_a_member_without_an_identifier_of_the_model_is_adopted_by_klaviyos_id(world: World) -> None:
    """She has only a phone, which the model does not know of; she is found and removed even so."""
    list_id = world.new_list()
    world.put_on_list(list_id, world.new_profile(phone_number="+14155550100"))
    world.wait(600.0)
    members_model(world, max_removes=1.0)
    moves(world, people("bo"))
    adopted(world)
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bo@example.com"]


def test_a_row_missing_from_an_adopted_list_is_sent_again(world: World) -> None:
    """Ann got another e-mail by hand, and the model knows her by that alone: she is of no row, and goes."""
    world.model("members", "select email from people", max_removes=1.0)
    moves(world, people("ann", "bo"))
    world.rename("ann@example.com", email="annie@example.com")
    assert figures(adopted(world)) == {"applied": 2, "members": 2, "missing": 1, "unmanaged": 1}
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "bo@example.com"]


def test_guards_count_the_removals_that_follow_an_adoption(world: World) -> None:
    old_list(world, *(f"old{number}@example.com" for number in range(30)))
    members_model(world)
    moves(world, people("ann", "bo"))
    adopted(world)
    with pytest.raises(GuardRefused, match="30 of 32 rows would be removed"):
        world.run()
    world.run(allow_removes=["members"])
    assert world.emails() == ["ann@example.com", "bo@example.com"]


def test_a_rejected_row_protects_an_adopted_member(world: World) -> None:
    """Her row can't be sent as it is, and she may be the same person: she is held."""
    list_id = world.new_list()
    world.put_on_list(list_id, world.new_profile(email="ann@example.com", external_id="c-ann"))
    world.wait(600.0)
    members_model(world, max_removes=1.0)
    moves(world, people("bo"))
    adopted(world)
    moves(world, [*people("bo"), person("ann", email="ann@")])
    assert world.emails() == ["ann@example.com", "bo@example.com"]


def test_adopt_replaces_a_lost_state(world: World) -> None:
    """Without it, the members who were added before the loss would stay for good."""
    members_model(world, max_removes=1.0)
    moves(world, many(4))
    (world.folder / "shop.reverse_etl.duckdb").unlink()
    world.wait(600.0)
    moves(world, many(3))
    assert len(world.emails()) == 4
    assert figures(adopted(world)) == {"applied": 3, "members": 4, "unmanaged": 1, "already_members": 3}
    assert only_list(moves(world, many(2))).outcomes == {Outcome.REMOVED: 2}
    assert len(world.emails()) == 2


def test_a_list_that_passed_to_another_model_can_be_adopted(world: World) -> None:
    """Members of the former model without a row in the new one are then removed."""
    members_model(world)
    moves(world, people("ann", "bo"))
    world.drop_model("members")
    world.model("vip", "select email from people where first_name = 'Ann'", list="Members", max_removes=1.0)
    world.run()
    assert world.emails() == ["ann@example.com", "bo@example.com"]
    adopted(world, "vip")
    world.run()
    assert world.emails() == ["ann@example.com"]


def test_adopt_can_be_repeated_and_has_a_dry_run(prepare_world: PrepareWorld) -> None:
    world = prepare_world(meet_old_members)
    before, writes = kept(world), len(world.writes())
    assert figures(adopted(world, dry_run=True))["unmanaged"] == 1
    assert kept(world) == before
    adopted(world)
    assert figures(adopted(world)) == {"applied": 3, "members": 3}
    assert len(world.writes()) == writes
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}


def test_each_list_of_a_model_is_adopted_separately(world: World) -> None:
    clubs_model(world, max_removes=1.0)
    tea = world.new_list("Tea")
    world.put_on_list(tea, world.new_profile(email="old@example.com"))
    world.wait(600.0)
    moves(world, [*people("ann", club="Tea"), *people("bo", club="Coffee")])
    differences = world.project().adopt(["clubs"])
    assert [(each.list_name, each.unmanaged) for each in differences] == [("Coffee", 0), ("Tea", 1)]
    world.run()
    assert (world.emails("Tea"), world.emails("Coffee")) == (["ann@example.com"], ["bo@example.com"])


@pytest.mark.parametrize(
    ("surface", "said"),
    [("list_memberships", "has not sent anything to its list"), ("profiles", "owns no members of a list")],
)
def test_a_model_without_matching_identifiers_adopts_nobody(world: World, surface: str, said: str) -> None:
    """Before its first run everybody would count as a stranger; and profiles are on no list."""
    old_list(world, "ann@example.com")
    world.model("members", "select email from people", surface=surface)
    become(world, people("ann"))
    with pytest.raises(UsageError, match=said):
        adopted(world)


def test_the_surface_by_profile_id_adopts_too(world: World) -> None:
    old_list(world, "ann@example.com", "old@example.com")
    ids = [world.person(email)["id"] for email in ("ann@example.com", "old@example.com")]
    config = {"surface": "list_memberships_by_profile_id", "max_removes": 1.0}
    world.model("members", "select klaviyo_profile_id from people", **config)
    world.people([{"klaviyo_profile_id": ids[0]}])
    world.run()
    assert figures(adopted(world)) == {"applied": 1, "members": 2, "unmanaged": 1, "already_members": 1}
    world.run()
    assert world.emails() == ["ann@example.com"]
