"""Lists that a model drives no more: told with the next step, once by a run, always by plan and status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests

from tests.cli.message_cases import HEADERS
from tests.cli.world import SELECT

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox
    from tests.cli.world import World


def _sent_elsewhere(world: World) -> tuple[Sandbox, str]:
    """Let a model drive another list after its first run; returns the id of the list before."""
    sandbox = world.klaviyo()
    assert world.run("run").code == 0
    world.model("vip", SELECT, list="Others")
    return sandbox, str(sandbox.lists()[0]["id"])


def _notes(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Note: ")]


def _delete(sandbox: Sandbox, list_id: str) -> None:
    requests.delete(f"{sandbox.origin}/api/lists/{list_id}", headers=HEADERS, timeout=10)


def test_a_run_tells_once_what_it_leaves_and_plan_and_status_go_on(world: World) -> None:
    """A note that repeats every night is not read; one that is never shown again is forgotten."""
    _, before = _sent_elsewhere(world)
    note = (
        f"Note: vip drove the list 'VIP' ({before}) before: what it put there (20 rows) stays, and no run "
        "removes it. If nobody needs that list, delete it in Klaviyo; to drive it again, name it in vip "
        f"again: list_id='{before}'."
    )
    assert _notes(world.run("plan").out) == [note]
    assert _notes(world.run("run").err) == [note]
    assert _notes(world.run("run").err) == []
    assert _notes(world.run("plan").out) == _notes(world.run("status").out) == [note]
    as_json = json.loads(world.run("run", "--json").out)
    assert as_json["notes"] == []
    assert as_json["models"][0]["left_behind"] == {before: 20}


def test_a_note_ends_by_either_of_its_next_steps(world: World) -> None:
    """The list is deleted in Klaviyo; or the model drives it again, and leaves the other one."""
    sandbox, before = _sent_elsewhere(world)
    world.run("run")
    world.model("vip", SELECT, list_id=before)
    (note,) = _notes(world.run("run").err)
    assert note.startswith("Note: vip drove the list 'Others' ")
    (other,) = [one["id"] for one in sandbox.lists() if one["name"] == "Others"]
    _delete(sandbox, other)
    assert _notes(world.run("plan").out) == []
    assert _notes(world.run("run").err) == []


def test_what_a_model_that_is_gone_left_is_told_in_the_same_way(world: World) -> None:
    """Its name is the next step; under another name it drives the list on, but not the rows from before."""
    sandbox = world.klaviyo()
    world.model("old", SELECT, list="Old")
    world.model("moved", SELECT, list="Moved")
    assert world.run("run").code == 0
    for name in ("old", "moved"):
        (world.folder / "models" / f"{name}.sql").unlink()
    world.model("renamed", SELECT, list="Moved")
    ids = {one["name"]: one["id"] for one in sandbox.lists()}
    told = _notes(world.run("run").err)
    moved, old = told
    assert moved == (
        f"Note: moved, a model that is gone, drove the list 'Moved' ({ids['Moved']}) before, and renamed "
        "drives it now: what it put there (20 rows) stays, whether renamed wants it or not. To let "
        "renamed decide: reverse-etl adopt --select renamed"
    )
    assert old == (
        f"Note: old, a model that is gone, drove the list 'Old' ({ids['Old']}) before: what it put there "
        "(20 rows) stays, and no run removes it. If nobody needs that list, delete it in Klaviyo; to "
        "drive it again, bring the model old back."
    )
    assert _notes(world.run("run").err) == []
    assert sorted(_notes(world.run("plan").out)) == sorted(_notes(world.run("status").out)) == told
    _delete(sandbox, ids["Old"])
    assert _notes(world.run("plan").out) == [moved]


def test_a_project_whose_profile_has_another_name_is_told_what_is_kept(world: World) -> None:
    """Its name is part of every key: under a new one all that was sent would be forgotten in silence."""
    world.klaviyo()
    world.run("run")
    profiles = (world.folder / "profiles.yml").read_text()
    (world.folder / "profiles.yml").write_text(profiles.replace("shop:", "store:", 1))
    note = (
        "Note: Nothing was ever sent as store; what is kept was sent as shop. If that is this project by its "
        "old name, give the profile that name again: under another, every row counts as new, and nobody who "
        "has left since is taken off."
    )
    assert _notes(world.run("plan").out) == _notes(world.run("status").out) == [note]
    assert _notes(world.run("run").err) == [note]
    assert _notes(world.run("plan").out) == _notes(world.run("run").err) == []
