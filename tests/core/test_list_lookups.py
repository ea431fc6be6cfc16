"""Many lists are looked up together: the number of requests is that of pages of ten lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, person

if TYPE_CHECKING:
    from tests.core.world import World

LISTS = 30
PAGES = 3


def list_lookups(world: World) -> int:
    """Return the number of requests that looked up lists since the log was emptied."""
    looked_up = [
        entry
        for entry in world.sandbox.log()
        if entry.method == "GET" and entry.path.startswith("/api/lists") and "/profiles" not in entry.path
    ]
    world.sandbox.clear_log()
    return len(looked_up)


@pytest.fixture
def clubs(world: World) -> World:
    """Make a world with a model of many lists, each with a person."""
    clubs_model(world)
    for number in range(LISTS):
        world.new_list(f"Club {number:02}")
    become(world, [person(f"p{number}", club=f"Club {number:02}") for number in range(LISTS)])
    world.sandbox.clear_log()
    return world


def test_thirty_lists_take_few_look_ups(clubs: World) -> None:
    """By name in the first run, by id in the next: three pages of ten, and no look-up for each."""
    result = clubs.run()
    assert sum(listed.outcomes.get(Outcome.APPLIED, 0) for listed in result.lists) == LISTS
    assert list_lookups(clubs) == PAGES
    assert clubs.run().exit_code == 0
    assert list_lookups(clubs) == PAGES


def test_a_deleted_list_among_many_is_asked_for_by_itself(clubs: World) -> None:
    """Only its own 404 says that it is gone; it is made again."""
    clubs.run()
    clubs.by_hand("DELETE", f"/api/lists/{clubs.list_id('Club 07')}")
    clubs.sandbox.clear_log()
    plan = clubs.plan()
    assert [listed.list_ref.name for _, listed in plan.list_plans() if listed.list_ref.is_new] == ["Club 07"]
    assert list_lookups(clubs) <= PAGES + 4  # its id for the row, the leaving row and the note; its name


def test_if_klaviyo_refuses_to_look_them_up_together_they_are_looked_up_one_by_one(clubs: World) -> None:
    """A refusal of the common request blocks nobody."""
    clubs.fault(Fault(FaultKind.STATUS, "GET", "/api/lists", status=400))
    result = clubs.run()
    assert sum(listed.outcomes.get(Outcome.APPLIED, 0) for listed in result.lists) == LISTS


def test_two_lists_of_one_name_are_found_among_many(clubs: World) -> None:
    """Which one is meant is not ours to say: the rows of that name are rejected, and all others delivered."""
    clubs.new_list("Club 07")
    result = clubs.run()
    assert sum(listed.outcomes.get(Outcome.APPLIED, 0) for listed in result.lists) == LISTS - 1
    (rejected,) = (rejection for listed in result.lists for rejection in listed.list_plan.check_rejections)
    assert (rejected.reason.code, rejected.rows) == ("ambiguous_list", 1)
    assert result.exit_code == 1
