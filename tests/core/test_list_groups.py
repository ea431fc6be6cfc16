"""Rule: lists whose people do not meet are imported at the same time; a person is in one import at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.killing import nth_event
from tests.core.rows import become, clubs_model, person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tests.core.world import World

JOB_SECONDS = 10.0


def slow_world(make_world: Callable[..., World], rows: Sequence[dict[str, Any]]) -> World:
    """Make a world in which each import takes ten seconds, with lists that exist."""
    world = make_world(job_seconds=JOB_SECONDS)
    clubs_model(world, min_rows=0, max_removes=1.0)
    for club in sorted({row["club"] for row in rows}):
        world.new_list(club)
    become(world, [*rows])
    return world


def seconds_of_run(world: World) -> float:
    """Run, and return how long it took on the world's clock."""
    started = world.clock.now()
    world.run()
    return world.clock.now() - started


def test_lists_whose_people_do_not_meet_wait_together(make_world: Callable[..., World]) -> None:
    """Twenty lists take as long as one, not twenty times as long."""
    rows = [person(f"p{number}", club=f"Club {number}") for number in range(20)]
    world = slow_world(make_world, rows)
    assert seconds_of_run(world) < 3 * JOB_SECONDS
    for number in range(20):
        assert world.emails(f"Club {number}") == [f"p{number}@example.com"]


def test_lists_that_share_a_person_wait_for_each_other(make_world: Callable[..., World]) -> None:
    """The third list shares nobody, and goes with the first group."""
    rows = [person("ann", club="Tea"), person("ann", club="Cake"), person("bob", club="Jam")]
    world = slow_world(make_world, rows)
    assert seconds_of_run(world) >= 2 * JOB_SECONDS
    assert world.emails("Tea") == world.emails("Cake") == ["ann@example.com"]
    assert world.emails("Jam") == ["bob@example.com"]


def test_lists_of_different_models_wait_for_each_other(make_world: Callable[..., World]) -> None:
    """Their rows may have different identifiers of one person, which nothing shows."""
    world = make_world(job_seconds=JOB_SECONDS)
    become(world, [person("ann")])
    for name, column in (("by_mail", "email"), ("by_id", "customer_id")):
        world.new_list(name)
        kind = {"email": "email", "customer_id": "external_id"}[column]
        world.model(name, f"select {column} from people", list=name, identifiers={kind: column})
    assert seconds_of_run(world) >= 2 * JOB_SECONDS


def test_one_failed_import_stops_only_its_list(make_world: Callable[..., World]) -> None:
    """The job of one list is cancelled; its rows are unknown, and the next run sends them."""
    rows = [person("ann", club="Tea"), person("bob", club="Cake"), person("cat", club="Jam")]
    world = slow_world(make_world, rows)
    world.fault(Fault(FaultKind.CANCEL, times=1))
    result = world.run()
    outcomes = sorted(str(outcome) for listed in result.lists for outcome in listed.outcomes)
    assert outcomes == [Outcome.APPLIED, Outcome.APPLIED, Outcome.UNKNOWN]
    world.calm()
    assert world.run().exit_code == 0
    for row in rows:
        assert world.emails(row["club"]) == [row["email"]]


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_run_that_dies_among_several_imports_is_recovered(
    make_world: Callable[..., World], step: int
) -> None:
    rows = [person(f"p{number}", club=f"Club {number}") for number in range(5)]
    for nth in range(4, 200, step):
        world = slow_world(lambda nth=nth, **rules: make_world(f"dies{nth}", **rules), rows)
        died = world.dies(nth_event(nth))
        world.calm()
        world.wait(600.0)
        world.run()
        assert world.run().exit_code == 0
        for row in rows:
            assert world.emails(row["club"]) == [row["email"]]
        if not died:
            return
    raise AssertionError("the run has more events than were tried")


def test_a_person_who_leaves_one_of_them_is_removed(make_world: Callable[..., World]) -> None:
    rows = [person("ann", club="Tea"), person("bob", club="Cake"), person("cat", club="Tea")]
    world = slow_world(make_world, rows)
    world.run()
    world.calm()
    world.wait(600.0)
    become(world, [person("ann", club="Tea"), person("bob", club="Cake"), person("dan", club="Cake")])
    world.run()
    assert world.emails("Tea") == ["ann@example.com"]
    assert world.emails("Cake") == ["bob@example.com", "dan@example.com"]
