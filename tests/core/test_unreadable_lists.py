"""Rule: a reply about a list that cannot be read stops that list, in planning and when it is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.progress import Warned
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, members_model, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture
def members(world: World) -> World:
    """Make a world with the models of two lists."""
    members_model(world)
    world.model("others", "select email from others", list="Others", identifiers={"email": "email"})
    world.people([{"email": "zoe@example.com"}], table="others")
    become(world, people("ann", "bob"))
    return world


def unreadable(list_id: str) -> Fault:
    """Return the fault that makes the look-up of a list unreadable."""
    return Fault(FaultKind.HTML, method="GET", path=f"/api/lists/{list_id}", times=None)


def note_warnings(warnings: list[str]) -> Callable[[Any], None]:
    """Return a listener that keeps the warnings."""

    def listen(event: Any) -> None:
        if isinstance(event, Warned):
            warnings.append(event.text)

    return listen


def test_an_unreadable_lookup_stops_its_list(members: World) -> None:
    """The other list is delivered, and the next run goes on."""
    members.run()
    members.calm()
    become(members, people("ann", "bob", "cat"))
    members.people([{"email": "zoe@example.com"}, {"email": "yve@example.com"}], table="others")
    members.fault(unreadable(members.list_id("Members")))
    warnings: list[str] = []
    result = members.run(on_progress=note_warnings(warnings))
    assert result.exit_code == 4
    assert "could not be looked up" in only_list(result, "members").stop_reason
    assert any("members, list 'Members': The list could not be looked up" in text for text in warnings)
    assert members.emails("Others") == ["yve@example.com", "zoe@example.com"]
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    members.calm()
    assert members.run().exit_code == 0
    assert members.emails("Members") == ["ann@example.com", "bob@example.com", "cat@example.com"]


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.CUT])
def test_a_list_that_cannot_be_created_stops_alone(members: World, kind: FaultKind) -> None:
    """The reply to the first creation is no list; the second list is created and filled."""
    members.fault(Fault(kind, method="POST", path="/api/lists", times=1))
    result = members.run()
    assert result.exit_code == 4
    assert "could not be created" in only_list(result, "members").stop_reason
    assert members.emails("Others") == ["zoe@example.com"]
    members.calm()
    members.wait(600.0)
    assert members.run().exit_code == 0
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    assert [listed["name"] for listed in members.sandbox.lists()].count("Members") == 1


def test_an_unreadable_lookup_by_id_stops_its_list(members: World) -> None:
    listed = members.new_list("Named")
    members.model("named", "select email from others", list_id=listed, identifiers={"email": "email"})
    members.fault(unreadable(listed))
    result = members.run()
    assert result.exit_code == 4
    assert only_list(result, "named").failed
    assert members.emails("Others") == ["zoe@example.com"]
    assert members.emails("Named") == []


def test_among_the_lists_of_a_model_one_is_stopped(world: World) -> None:
    """Its rows stay as they are, also those to remove."""
    clubs_model(world, min_rows=0, max_removes=1.0)
    become(world, [person("ann", club="Tea"), person("bob", club="Cake"), person("cat", club="Tea")])
    world.run()
    world.calm()
    world.wait(600.0)
    become(world, [person("bob", club="Cake"), person("dan", club="Cake")])
    world.fault(unreadable(world.list_id("Tea")))
    assert world.run().exit_code == 4
    assert world.emails("Cake") == ["bob@example.com", "dan@example.com"]
    assert world.emails("Tea") == ["ann@example.com", "cat@example.com"]
    world.calm()
    assert world.run().exit_code == 0
    assert world.emails("Tea") == []


def test_a_plan_says_which_list_cannot_be_looked_up(members: World) -> None:
    members.run()
    members.fault(unreadable(members.list_id("Members")))
    warnings: list[str] = []
    members.plan(on_progress=note_warnings(warnings))
    assert any("could not be looked up" in text for text in warnings)
