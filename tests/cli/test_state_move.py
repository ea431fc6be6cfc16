"""A state that is moved, and a profile that is renamed: the state goes on, with `state move`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.world import World

STATE = "shop.reverse_etl.duckdb"


def rename_profile(world: World, old: str = "shop", new: str = "store") -> None:
    """Rename the profile, as its author would."""
    text = (world.folder / "profiles.yml").read_text("utf-8")
    world.write("profiles.yml", text.replace(f"{old}:", f"{new}:", 1))


def removed(world: World) -> int:
    """Run, and return how many members were removed."""
    ended = world.run("run", "--json")
    assert ended.code == 0, ended.err
    return int(json.loads(ended.out)["lists"][0]["removed"])


def test_a_renamed_profile_goes_on(world: World) -> None:
    """A person who left is removed, although the rows were sent under the old name."""
    sandbox = world.klaviyo()
    assert world.run("run").code == 0
    sandbox.finish_jobs()
    rename_profile(world)
    world.customers(18)
    noted = world.run("plan")
    assert "reverse-etl state move --from-profile shop" in noted.out
    moved = world.run("state", "move", "--from-profile", "shop")
    assert (moved.code, moved.out) == (0, "store continues shop: vip")
    assert "state move" not in world.run("plan").out
    assert removed(world) == 2
    again = world.run("state", "move", "--from-profile", "shop")
    assert again.code == 2
    assert "The state has no other profile shop." in again.err


def test_a_restored_state_of_a_renamed_profile_removes_nobody(world: World) -> None:
    """The record of the last run goes along: the backup lacks that run, under the new name as well."""
    sandbox = world.klaviyo()
    world.run("run")
    shutil.copy(world.folder / STATE, world.folder / "backup.duckdb")
    world.customers(19)
    world.run("run")
    sandbox.finish_jobs()
    shutil.copy(world.folder / "backup.duckdb", world.folder / STATE)
    rename_profile(world)
    assert world.run("state", "move", "--from-profile", "shop").code == 0
    world.customers(18)
    ended = world.run("run", "--json")
    assert ended.code == 1, ended.err
    assert "All removals are held. The state does not contain the run" in ended.err


def test_rows_of_both_profiles_are_not_mixed(world: World) -> None:
    """Exit code 2 that names both."""
    world.klaviyo()
    world.run("run")
    rename_profile(world)
    world.run("run")
    refused = world.run("state", "move", "--from-profile", "shop")
    assert refused.code == 2
    assert "rows of both profiles, shop and store" in refused.err


def test_an_unknown_profile_is_a_mistake(world: World) -> None:
    world.klaviyo()
    world.run("run")
    rename_profile(world)
    wrong = world.run("state", "move", "--from-profile", "shob")
    assert wrong.code == 2
    assert "Did you mean shop" in wrong.err


def test_a_state_file_is_moved_to_a_new_state_path(world: World) -> None:
    sandbox = world.klaviyo(destination={"state_path": "old/state.duckdb"})
    (world.folder / "old").mkdir()
    (world.folder / "new").mkdir()
    assert world.run("run").code == 0
    sandbox.finish_jobs()
    text = (world.folder / "profiles.yml").read_text("utf-8")
    world.write("profiles.yml", text.replace("old/state.duckdb", "new/state.duckdb"))
    moved = world.run("state", "move", "--from", "old/state.duckdb", "--json")
    assert moved.code == 0, moved.err
    assert json.loads(moved.out)["to"].endswith("new/state.duckdb")
    assert not (world.folder / "old/state.duckdb").exists()
    world.customers(18)
    assert removed(world) == 2


def test_two_state_files_are_both_named(world: World) -> None:
    """Nothing is moved, and the exit code is 2."""
    world.klaviyo(destination={"state_path": "old.duckdb"})
    world.run("run")
    text = (world.folder / "profiles.yml").read_text("utf-8")
    world.write("profiles.yml", text.replace("old.duckdb", "new.duckdb"))
    world.run("run")
    refused = world.run("state", "move", "--from", "old.duckdb")
    assert refused.code == 2
    assert "<folder>/old.duckdb and <folder>/new.duckdb" in refused.err
    assert (world.folder / "old.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give either --from-profile or --from"),
        (["--from", "missing.duckdb"], "There is no such file"),
        (["--from", "shop.duckdb"], "is not a state of reverse-etl"),
    ],
)
def test_a_mistake_moves_nothing(world: World, arguments: list[str], words: str) -> None:
    world.klaviyo()
    refused = world.run("state", "move", *arguments)
    assert refused.code == 2
    assert words in refused.err
    assert (world.folder / "shop.duckdb").exists()
