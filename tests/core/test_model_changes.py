"""State rename and state forget: what is stored of a model gets a new name or ends.

Its notes end with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.rows import (
    BY_EMAIL,
    SELECT,
    become,
    members_model,
    moves,
    people,
    person,
    send_two_loosely,
)
from tests.core.world import Interrupted, only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World


def send_three(world: World) -> None:
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob", "cat"))


@pytest.fixture
def members(prepare_world: PrepareWorld) -> World:
    """Make a world whose model of one list has sent three people."""
    return prepare_world(send_three)


def rename_file(world: World, **config: object) -> None:
    """Rename the model's file, as its author would."""
    world.drop_model("members")
    world.model("vips", SELECT, **{"identifiers": BY_EMAIL, "list": "Members", "max_removes": 1.0, **config})


def notes(world: World) -> list[str]:
    """Return the notes of the status."""
    status = world.project().status()
    return [*status.notes, *(listed.note for listed in status.lists if listed.note)]


def quiet(world: World) -> bool:
    """Run once more, and return whether it sent nothing and had nothing to note."""
    before = len(world.writes())
    result = world.run()
    return len(world.writes()) == before and not result.plan.notes


def test_a_renamed_model_goes_on_where_the_old_one_stopped(members: World) -> None:
    """Nothing is sent again, who left is removed, and no note is left."""
    rename_file(members)
    assert "reverse-etl state rename members NEW_NAME" in notes(members)[0]
    (moved,) = members.project().state_changes.rename("members", "vips")
    assert (moved.list_name, moved.rows) == ("Members", 3)
    assert notes(members) == []
    assert quiet(members)
    assert only_list(moves(members, people("ann"))).outcomes == {Outcome.REMOVED: 2}
    assert members.emails() == ["ann@example.com"]
    assert {listed.model for listed in members.project().status().lists} == {"vips"}


def test_a_rename_keeps_rejections_and_history(members: World) -> None:
    """A row that Klaviyo refused under the old name stays rejected under the new one."""
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="dan"))
    moves(members, people("ann", "bob", "cat", "dan"))
    rename_file(members)
    members.project().state_changes.rename("members", "vips")
    (listed,) = members.project().status().lists
    assert (listed.model, listed.applied, listed.rejected) == ("vips", 3, 1)
    assert listed.last_run is not None
    assert quiet(members)
    assert members.project().retry() == {"vips": 1}
    members.calm()
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 1}


def test_a_rename_after_the_new_name_has_run_merges_both(members: World) -> None:
    """The rows that the old name sent and the new one never did are removed by the next run."""
    rename_file(members)
    moves(members, people("ann", "bob", "eve"))
    assert len(members.emails()) == len(("ann", "bob", "cat", "eve"))
    (note,) = notes(members)
    assert "reverse-etl state rename members vips" in note
    members.project().state_changes.rename("members", "vips")
    assert notes(members) == []
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com", "eve@example.com"]
    assert quiet(members)


def test_a_new_model_of_the_old_name_gets_tables_of_its_own(members: World) -> None:
    """The renamed model keeps the tables that bear its old name."""
    rename_file(members)
    members.project().state_changes.rename("members", "vips")
    members.model("members", SELECT, list="Others", identifiers=BY_EMAIL, max_removes=1.0)
    moves(members, people("ann", "bob", "cat"))
    keys = members.state("SELECT DISTINCT table_key FROM models")
    assert len(keys) == len(("members", "vips"))
    moves(members, people("ann"))
    assert members.emails() == members.emails("Others") == ["ann@example.com"]


def test_a_rename_needs_a_model_that_is_gone_and_one_that_exists(members: World) -> None:
    """A typing mistake changes nothing."""
    with pytest.raises(UsageError, match="still has the model members"):
        members.project().state_changes.rename("members", "vips")
    rename_file(members)
    with pytest.raises(UsageError, match="no model vip"):
        members.project().state_changes.rename("members", "vip")
    with pytest.raises(UsageError, match="The state has no model member"):
        members.project().state_changes.rename("member", "vips")
    assert members.state("SELECT model FROM models") == [("members",)]


def test_a_forgotten_model_leaves_no_note_and_its_members_stay(members: World) -> None:
    """Nothing is sent; a list of the same name can be managed again."""
    members.drop_model("members")
    members.model("others", SELECT, list="Others", identifiers=BY_EMAIL)
    moves(members, people("ann", "bob", "cat"))
    assert "reverse-etl state forget members" in notes(members)[0]
    before = len(members.writes())
    (forgotten,) = members.project().state_changes.forget("members")
    assert (forgotten.list_name, forgotten.rows) == ("Members", 3)
    assert notes(members) == []
    assert quiet(members)
    assert len(members.writes()) == before
    assert len(members.emails()) == len(("ann", "bob", "cat"))
    with pytest.raises(UsageError, match="The state has no model members"):
        members.project().state_changes.forget("members")


def test_a_model_of_the_project_is_not_forgotten(members: World) -> None:
    """If it were, who leaves would stay for ever."""
    with pytest.raises(UsageError, match="still has the model members"):
        members.project().state_changes.forget("members")
    with pytest.raises(UsageError, match="owns the list"):
        members.project().state_changes.forget("members", members.list_id())
    assert quiet(members)


def test_a_list_that_a_model_left_can_be_forgotten(members: World) -> None:
    """The note names the command, and ends."""
    old = members.list_id()
    members_model(members, list="Newcomers")
    members.run()
    (note,) = notes(members)
    assert note.endswith(f"reverse-etl state forget members --list {old}")
    (forgotten,) = members.project().state_changes.forget("members", old)
    assert (forgotten.list_id, forgotten.rows) == (old, 3)
    assert notes(members) == []
    assert quiet(members)
    with pytest.raises(UsageError, match="no rows on the list"):
        members.project().state_changes.forget("members", old)


def test_status_and_run_agree_after_a_list_was_deleted_and_made_again(members: World) -> None:
    """The run sends all rows to the new list, says what became of the old one, and forgets it."""
    old = members.list_id()
    members.by_hand("DELETE", f"/api/lists/{old}")
    members.new_list("Members")
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 3}
    assert "Klaviyo no longer has this list" in " ".join(result.plan.new_notes)
    status = members.project().status()
    assert [(listed.list_id, listed.applied, listed.note) for listed in status.lists] == [
        (members.list_id(), 3, "")
    ]
    assert quiet(members)
    assert only_list(moves(members, people("ann"))).outcomes == {Outcome.REMOVED: 2}


def test_a_change_waits_for_the_results_of_an_interrupted_run(members: World) -> None:
    """Its receipts are about rows that would be gone."""
    become(members, people("ann", "bob", "cat", "dan"))
    assert members.dies(lambda event: type(event).__name__ == "SendProgress")
    members.drop_model("members")
    members.model("others", SELECT, list="Others", identifiers=BY_EMAIL)
    with pytest.raises(UsageError, match="not finished"):
        members.project().state_changes.forget("members")
    members.calm()
    members.run()
    members.project().state_changes.forget("members")
    assert notes(members) == []


COMMANDS: dict[str, Callable[[World], object]] = {
    "rename": lambda world: world.project().state_changes.rename("members", "vips"),
    "merge": lambda world: world.project().state_changes.rename("members", "vips"),
    "forget": lambda world: world.project().state_changes.forget("members"),
}


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_change_may_be_killed_before_each_statement(
    prepare_world: PrepareWorld, monkeypatch: pytest.MonkeyPatch, command: str, step: int
) -> None:
    """The same command completes it: the state is that of a change that nobody killed."""
    world = prepare_world(send_two_loosely)
    rename_file(world)
    if command == "merge":
        moves(world, [*people("ann"), person("eve")])
    state_file = world.folder / "shop.reverse_etl.duckdb"
    before, ends, died, nth = state_file.read_bytes(), [], True, 1
    while died:
        state_file.write_bytes(before)
        with monkeypatch.context() as patched:
            died = die_at_change(world, nth, patched, COMMANDS[command])
        if world.state("SELECT model FROM models WHERE model = 'members'"):
            COMMANDS[command](world)
        ends.append(stored(world))
        nth += step
    assert len(ends) > 1
    assert ends == [ends[-1]] * len(ends)
    assert not [note for note in notes(world) if "members" in note]
    moves(world, people("ann"))
    world.run()
    stay = {"bob@example.com"} if command == "forget" else set()
    assert set(world.emails()) == {"ann@example.com"} | stay
    assert quiet(world)


def stored(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of each table of the state, but of the lease."""
    tables = [name for (name,) in world.state("SELECT table_name FROM information_schema.tables")]
    return {
        name: sorted(world.state(f'SELECT * FROM "{name}"'), key=repr) for name in tables if name != "lease"
    }


def die_at_change(
    world: World, nth: int, patched: pytest.MonkeyPatch, change: Callable[[World], object]
) -> bool:
    """Make a change, and die before its nth write. Return whether it came to that."""
    execute, left = DuckDB.execute, [nth]

    def die(warehouse: DuckDB, statement: Statement) -> None:
        if statement.changes_what_lasts and '"lease"' not in statement.text:
            left[0] -= 1
            if left[0] <= 0:
                raise Interrupted
        execute(warehouse, statement)

    patched.setattr(DuckDB, "execute", die)
    try:
        change(world)
    except Interrupted:
        return True
    return False


@pytest.mark.parametrize("surface", ["suppressions", "profile_deletions"])
def test_rows_that_were_sent_as_something_else_prove_nothing(world: World, surface: str) -> None:
    """A snapshot of profiles has the rows: they would count as unchanged, and nobody would be suppressed."""
    become(world, people("ann", "bob"))
    world.model("everyone", "select email from people", surface="profiles")
    world.run()
    world.model("everyone", "select email from people", surface=surface)
    with pytest.raises(UsageError, match=f"sent with the surface profiles, and its surface is {surface} now"):
        world.run()
    world.drop_model("everyone")
    world.model("others", "select email from people", surface=surface)
    assert world.plan().models[0].lists[0].adds == 2


def test_a_model_of_profiles_may_get_a_list(world: World) -> None:
    become(world, people("ann", "bob"))
    world.model("everyone", "select email from people", surface="profiles")
    world.run()
    world.model("everyone", "select email from people", surface="list_memberships")
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com"]
