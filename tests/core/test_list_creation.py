"""Rule: lists. When one is created, and how it is found again when its creation was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.lists import ListRegistry
from tests.core.rows import become, clubs_model, members_model, names, people, person
from tests.core.world import Interrupted, only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

SHOWN_LATE = 40.0  # seconds


@pytest.fixture
def members(members: World) -> World:
    """Add two people to the world with the model of one list."""
    become(members, people("ann", "bob"))
    return members


def test_an_unknown_list_suggests_similar_names_if_lists_may_not_be_created(
    make_world: Callable[..., World],
) -> None:
    """A typing mistake must not become a list."""
    world = make_world(create_lists=False)
    members_model(world)
    become(world, people("ann"))
    world.new_list("Member")
    before = len(world.writes())
    with pytest.raises(UsageError, match="no list named 'Members'") as error:
        world.run()
    assert "'Member'" in error.value.problems[0].hint
    assert len(world.writes()) == before


def test_at_most_five_lists_are_created_in_a_run(world: World) -> None:
    """A wrong column as the list column would make a list of each of its values."""
    clubs_model(world)
    become(world, [person(f"p{n}", club=f"Club {n}") for n in range(6)])
    with pytest.raises(GuardRefused, match="6 lists"):
        world.run()
    assert world.writes() == []
    become(world, [person(f"p{n}", club=f"Club {n}") for n in range(5)])
    world.run()
    assert len(names(world)) == 5


@pytest.mark.parametrize("status", [500, 503, 408])
def test_after_a_lost_reply_to_a_creation_the_list_is_looked_up(members: World, status: int) -> None:
    """Creating is not repeated: the list is there, though its reply was lost, and it is ours."""
    members.fault(Fault(FaultKind.STATUS, "POST", "/api/lists", status=status, after=True))
    members.run()
    assert names(members) == ["Members"]
    assert [entry.path for entry in members.writes()].count("/api/lists") == 1


def test_a_creation_that_did_not_happen_is_repeated_by_the_next_run(members: World) -> None:
    """The reply was lost, and no such list is to be seen: the list stops, and says so."""
    members.fault(Fault(FaultKind.CUT, "POST", "/api/lists"))
    result = members.run()
    assert (result.exit_code, "could not be created" in only_list(result).stop_reason) == (4, True)
    assert members.state("SELECT name, state FROM lists") == [("Members", "intended")]
    assert len(members.writes()) == 1
    members.run()
    assert names(members) == ["Members"]
    assert members.state("SELECT name, state FROM lists") == [("Members", "owned")]


def dies_after_creation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, and die when Klaviyo has made the list and before that is noted."""
    with monkeypatch.context() as patched:
        patched.setattr(ListRegistry, "claim", lambda *_: (_ for _ in ()).throw(Interrupted))
        with pytest.raises(Interrupted):
            world.run()
    assert world.state("SELECT name, state FROM lists") == [("Members", "intended")]


def creations(world: World) -> int:
    """Return how many requests asked for a new list."""
    return [entry.path for entry in world.writes()].count("/api/lists")


def count_early_lookups(world: World) -> int:
    """Return how many requests asked for lists after one was made and well before it was shown."""
    (made,) = [entry.received_at for entry in world.writes() if entry.path == "/api/lists"]
    asked = [
        entry.received_at
        for entry in world.sandbox.log()
        if (entry.method, entry.path) == ("GET", "/api/lists")
    ]
    return sum(made < at < made + SHOWN_LATE - 1.0 for at in asked)


def test_the_next_run_uses_the_list_that_a_killed_run_created(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is there, and only the intent is noted: it is found by its name, and owned."""
    dies_after_creation(members, monkeypatch)
    members.run()
    assert (names(members), creations(members)) == (["Members"], 1)
    assert members.state("SELECT name, state FROM lists") == [("Members", "owned")]
    assert len(members.emails()) == 2


def test_a_list_created_by_a_killed_run_is_waited_for(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run begins at once, and Klaviyo does not show the list yet: no second one is made."""
    world = make_world(list_seconds=SHOWN_LATE)
    members_model(world)
    become(world, people("ann", "bob"))
    dies_after_creation(world, monkeypatch)
    world.run()
    assert count_early_lookups(world) > 0
    assert (names(world), creations(world)) == (["Members"], 1)
    assert len(world.emails()) == 2


def test_after_a_lost_reply_a_list_that_is_shown_late_is_waited_for(make_world: Callable[..., World]) -> None:
    """The connection was cut when the list had been made, which takes a while to be shown."""
    world = make_world(list_seconds=SHOWN_LATE)
    members_model(world)
    become(world, people("ann", "bob"))
    world.fault(Fault(FaultKind.CUT, "POST", "/api/lists", after=True))
    world.run()
    assert count_early_lookups(world) > 0
    assert (names(world), creations(world)) == (["Members"], 1)


def test_the_list_created_after_the_intent_is_chosen_among_equal_names(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's list of that name was not shown yet when ours was made. Both are when the next run looks."""
    world = make_world(list_seconds=1_000.0)
    members_model(world)
    become(world, people("ann", "bob"))
    theirs = world.new_list()
    world.wait(100.0)
    dies_after_creation(world, monkeypatch)
    world.wait(1_200.0)
    world.run()
    assert creations(world) == 2
    assert world.emails(theirs) == []
    (ours,) = {listed["id"] for listed in world.sandbox.lists()} - {theirs}
    assert world.emails(ours) == ["ann@example.com", "bob@example.com"]


def test_two_lists_created_after_the_intent_are_an_error(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody made a list of that name by hand after the run had died."""
    dies_after_creation(members, monkeypatch)
    members.new_list()
    with pytest.raises(UsageError, match="2 lists"):
        members.run()
    assert len(names(members)) == 2
