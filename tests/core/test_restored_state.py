"""A state that was put back from a backup removes nobody until somebody trusts it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, members_model, moves, people
from tests.core.test_request_changes import CREATE, Things
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.world import PrepareWorld, World

STATE = "shop.reverse_etl.duckdb"


def send_three(world: World) -> None:
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob", "cat"))


@pytest.fixture
def members(prepare_world: PrepareWorld) -> World:
    """Make a world that has sent three people and kept a backup of its state."""
    world = prepare_world(send_three)
    shutil.copy(world.folder / STATE, world.folder / "backup.duckdb")
    return world


def put_back(world: World) -> None:
    """Put the backup in the place of the state."""
    shutil.copy(world.folder / "backup.duckdb", world.folder / STATE)


def records(world: World) -> list[Path]:
    """Return the records of the last run."""
    return [*(world.folder / ".reverse_etl").glob("last_run_*.json")]


def forget_records(world: World) -> None:
    """Delete the records, as on another machine."""
    for path in records(world):
        path.unlink()


def removed_and_added_by_hand(world: World) -> None:
    """Let a run remove bob and add dan, then somebody add bob by hand, and put back the backup."""
    moves(world, people("ann", "cat", "dan"))
    world.put_on_list(world.list_id(), str(world.person("bob@example.com")["id"]))
    world.wait()
    put_back(world)


def test_a_restored_state_removes_nobody(members: World) -> None:
    """Bob was removed after the backup and added by marketing: the old state takes him for its own."""
    removed_and_added_by_hand(members)
    (note,) = members.plan().notes
    assert "All removals are held. The state does not contain the run" in note
    assert "reverse-etl state trust" in note
    for _ in range(2):
        result = moves(members, people("ann", "cat", "dan"))
        assert result.exit_code == 1
        assert only_list(result).list_plan.held_at_plan == 1
        assert result.plan.new_notes == (note,)
    assert "bob@example.com" in members.emails()
    assert members.project().state_changes.trust() == 1
    assert members.plan().notes == ()
    assert Outcome.REMOVED in only_list(moves(members, people("ann", "dan"))).outcomes


def test_a_held_list_still_gets_its_new_rows(members: World) -> None:
    moves(members, people("ann", "bob"))
    put_back(members)
    assert only_list(moves(members, people("ann", "bob", "eve"))).outcomes == {Outcome.APPLIED: 1}
    assert "eve@example.com" in members.emails()


def test_values_that_were_sent_after_the_backup_are_sent_again(members: World) -> None:
    """The old state has the first name that the model has, and Klaviyo has another one."""
    moves(members, people("ann", "bob", "cat", first_name="Changed"))
    put_back(members)
    moves(members, people("ann", "bob", "cat"))
    moves(members, people("ann", "bob", "cat"))
    assert members.person("ann@example.com")["first_name"] == "Ann"
    before = len(members.writes())
    moves(members, people("ann", "bob", "cat"))
    assert len(members.writes()) == before


def test_a_person_removed_after_the_backup_and_desired_again_is_added(members: World) -> None:
    moves(members, people("ann", "bob"))
    put_back(members)
    for _ in range(2):
        moves(members, people("ann", "bob", "cat"))
    assert members.emails() == ["ann@example.com", "bob@example.com", "cat@example.com"]


def test_another_machine_sees_the_hold(members: World) -> None:
    """The state keeps it, although only the first machine had the record."""
    removed_and_added_by_hand(members)
    moves(members, people("ann", "cat", "dan"))
    assert members.state("SELECT DISTINCT state, cause FROM removal_holds") == [("held", "missing_run")]
    forget_records(members)
    assert only_list(moves(members, people("ann", "cat", "dan"))).list_plan.held_at_plan == 1
    assert "bob@example.com" in members.emails()


def test_imports_of_no_recorded_run_hold_their_list(members: World) -> None:
    """A new machine has no record; Klaviyo still knows that somebody imported into the list."""
    removed_and_added_by_hand(members)
    forget_records(members)
    (note,) = members.plan().notes
    assert "Removals from the list 'Members'" in note
    assert "1 import into this list" in note
    for _ in range(2):
        assert only_list(moves(members, people("ann", "cat", "dan"))).list_plan.held_at_plan == 1
    assert members.state("SELECT cause FROM removal_holds") == [("unrecorded_imports",)]
    assert "bob@example.com" in members.emails()
    members.project().state_changes.trust()
    assert members.plan().notes == ()


def imports_by_hand(world: World, name: str) -> None:
    """Let another app import somebody into the list."""
    row = {"type": "profile", "attributes": {"email": f"{name}@example.com"}}
    job = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [row]}},
        "relationships": {"lists": {"data": [{"type": "list", "id": world.list_id()}]}},
    }
    world.wait()
    world.by_hand("POST", IMPORTS, {"data": job})
    world.wait()


@pytest.mark.parametrize("shared", ["Members", "id", "*"])
def test_imports_of_another_app_into_a_shared_list_hold_nothing(members: World, shared: str) -> None:
    """Each night another app imports into the list: without the setting it is held again after each trust."""
    for name in ("eve", "fay"):
        imports_by_hand(members, name)
        (note,) = members.plan().notes
        assert "`shared_lists` of the destination" in note
        members.project().state_changes.trust()
    imports_by_hand(members, "gil")
    members.profile(shared_lists=[members.list_id() if shared == "id" else shared])
    assert members.plan().notes == ()
    assert only_list(moves(members, people("ann", "cat"))).outcomes == {Outcome.REMOVED: 1}
    assert "gil@example.com" in members.emails()


def test_a_shared_list_is_held_by_the_record_of_the_last_run(members: World) -> None:
    """Imports of others show nothing there; the record still does."""
    members.profile(shared_lists=["Members"])
    removed_and_added_by_hand(members)
    assert only_list(moves(members, people("ann", "cat", "dan"))).list_plan.held_at_plan == 1


def test_status_shows_that_removals_are_held(members: World) -> None:
    """Before a run records the hold, and after it."""
    assert members.project().status().notes == ()
    removed_and_added_by_hand(members)
    for _ in range(2):
        (note,) = members.project().status().notes
        assert "All removals are held. The state does not contain the run" in note
        assert "reverse-etl state trust" in note
        moves(members, people("ann", "cat", "dan"))
    members.project().state_changes.trust()
    assert members.project().status().notes == ()


def test_status_names_the_list_whose_removals_are_held(members: World) -> None:
    imports_by_hand(members, "eve")
    moves(members, people("ann", "cat"))
    (note,) = members.project().status().notes
    assert "Removals from the list 'Members'" in note


def test_an_import_that_is_trusted_before_any_run_is_not_held(members: World) -> None:
    moves(members, people("ann", "cat", "dan"))
    put_back(members)
    forget_records(members)
    members.project().state_changes.trust()
    assert members.plan().notes == ()
    assert only_list(moves(members, people("ann"))).list_plan.held_at_plan == 0


def test_a_new_machine_removes_as_usual(members: World) -> None:
    """A missing record holds nothing: a container has none at all."""
    forget_records(members)
    assert only_list(moves(members, people("ann"))).outcomes == {Outcome.REMOVED: 2}


def test_an_unreadable_record_holds_removals(members: World) -> None:
    (record,) = records(members)
    record.write_text("{")
    (note,) = members.plan().notes
    assert "The record of the last run cannot be read" in note
    assert only_list(moves(members, people("ann"))).list_plan.held_at_plan == 2
    members.project().state_changes.trust()
    assert only_list(moves(members, people("ann"))).outcomes[Outcome.REMOVED] == 2


def test_unreadable_jobs_hold_removals_only_now(members: World) -> None:
    members.fault(Fault(FaultKind.HTML, method="GET", path="/api/profile-bulk-import-jobs*", times=None))
    become(members, people("ann"))
    assert only_list(members.run()).list_plan.held_at_plan == 2
    members.calm()
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 2}


def test_killed_runs_are_no_unrecorded_ones(members: World) -> None:
    """The jobs of a run that died are its own, whatever it recorded."""
    become(members, people("ann", "bob", "cat", "dan"))
    assert members.dies(lambda event: type(event).__name__ == "JobProgress")
    members.calm()
    members.wait(600.0)
    result = moves(members, people("ann"))
    assert result.plan.notes == ()
    assert members.emails() == ["ann@example.com"]


def test_the_record_is_private_and_ignored_by_git(members: World) -> None:
    (record,) = records(members)
    assert record.stat().st_mode & 0o077 == 0
    assert (record.parent / ".gitignore").read_text() == "*\n"


def test_a_plan_writes_no_record(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    world.plan()
    assert not (world.folder / ".reverse_etl").exists()


def test_a_record_that_cannot_be_written_is_said(members: World) -> None:
    (record,) = records(members)
    record.unlink()
    record.mkdir()
    events: list[object] = []
    become(members, people("ann", "bob", "cat", "dan"))
    members.run(on_progress=events.append)
    assert any("The record of the last run cannot be written" in str(event) for event in events)


def test_rows_that_must_not_be_sent_twice_are_not_sent(world: World, play_replies: Any) -> None:
    """The second row was sent after the backup; the old state takes it for new."""
    things = Things(world, play_replies)
    once = {"request": {**CREATE, "repeat": "once"}}
    things.become((1, "2.00", None), **once)
    things.run()
    shutil.copy(world.folder / STATE, world.folder / "backup.duckdb")
    things.become((1, "2.00", None), (2, "3.00", None), **once)
    things.run()
    put_back(world)
    with pytest.raises(GuardRefused, match="1 row may have been sent before"):
        world.run()
    assert len(things.sent) == 2
    world.project().state_changes.trust()
    things.run()
    assert len(things.sent) == 3
