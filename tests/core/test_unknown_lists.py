"""A first send to a list that Klaviyo has already is said, with what to do if the state is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
        f"The state knows nothing of the list 'Members' ({members.list_id()}) to which members sends" in note
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
    for name in ("Chess", "Go"):
        world.new_list(name)
    become(world, [person("ann", club="Chess"), person("bob", club="Go")])
    (note,) = world.plan().notes
    assert "The state knows nothing of 2 lists, such as 'Chess'" in note
