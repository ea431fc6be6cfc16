"""A first send to a list that Klaviyo has already is said, with what to do if the state is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, members_model, people, person

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.fixture
def members(world: World) -> World:
    """Return a world with the model of one list, and two people."""
    members_model(world)
    become(world, people("ann", "bob"))
    return world


def test_a_lost_state_is_said_before_anything_is_sent(members: World) -> None:
    """Without it, who left since the last run would stay for ever, and nothing would show it."""
    assert members.run().plan.new_notes == ()
    assert members.run().plan.notes == ()
    (members.folder / "shop.reverse_etl.duckdb").rename(members.folder / "lost.duckdb")
    become(members, people("ann"))
    (note,) = members.plan().notes
    assert (
        f"The state knows nothing of the list 'Members' ({members.list_id()}), which has members and to which"
        in note
    )
    assert "check state_path" in note
    assert "reverse-etl adopt --select members" in note
    assert members.run().plan.new_notes == (note,)
    assert members.run().plan.notes == ()


def test_a_new_list_is_no_such_list(members: World) -> None:
    """The run creates it, or another run did and was interrupted."""
    assert members.plan().notes == ()
    members.dies(lambda event: type(event).__name__ == "ListCreated")
    assert members.plan().notes == ()


def test_many_lists_of_one_model_are_one_note(world: World) -> None:
    """With the first of them as an example."""
    clubs_model(world)
    ann = world.new_profile(email="ann@example.com")
    for name in ("Chess", "Go", "Empty"):
        list_id = world.new_list(name)
        if name != "Empty":
            world.put_on_list(list_id, ann)
    become(world, [person("ann", club="Chess"), person("bob", club="Go"), person("cat", club="Empty")])
    (note,) = world.plan().notes
    assert "The state knows nothing of 2 lists with members, such as 'Chess'" in note


def test_an_empty_list_has_nobody_to_adopt(members: World) -> None:
    members.new_list()
    assert members.plan().notes == ()


def test_a_list_that_cannot_be_read_may_have_members(members: World) -> None:
    members.new_list()
    members.fault(Fault(FaultKind.HTML, method="GET", path="/api/lists/*/profiles"))
    (note,) = members.plan().notes
    assert "which has members" in note
