"""A state that is moved, and a profile that is renamed: the state goes on, with `state move`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

STATE = "shop.reverse_etl.duckdb"


def rename_profile(cli: CommandLine, old: str = "shop", new: str = "store") -> None:
    """Rename the profile, as its author would."""
    text = (cli.folder / "profiles.yml").read_text("utf-8")
    cli.write("profiles.yml", text.replace(f"{old}:", f"{new}:", 1))


def removed(cli: CommandLine) -> int:
    """Run, and return how many members were removed."""
    ended = cli.run("run", "--json")
    assert ended.code == 0, ended.err
    return int(json.loads(ended.out)["lists"][0]["removed"])


def test_a_renamed_profile_goes_on(cli: CommandLine) -> None:
    """A person who left is removed, although the rows were sent under the old name."""
    sandbox = cli.klaviyo()
    assert cli.run("run").code == 0
    sandbox.finish_jobs()
    rename_profile(cli)
    cli.customers(18)
    noted = cli.run("plan")
    assert "reverse-etl state move --from-profile shop" in noted.out
    moved = cli.run("state", "move", "--from-profile", "shop")
    assert (moved.code, moved.out) == (0, "store continues shop: vip")
    assert "state move" not in cli.run("plan").out
    assert removed(cli) == 2
    again = cli.run("state", "move", "--from-profile", "shop")
    assert again.code == 2
    assert "The state has no other profile shop." in again.err


def test_a_restored_state_of_a_renamed_profile_removes_nobody(cli: CommandLine) -> None:
    """The record of the last run goes along: the backup lacks that run, under the new name as well."""
    sandbox = cli.klaviyo()
    cli.run("run")
    shutil.copy(cli.folder / STATE, cli.folder / "backup.duckdb")
    cli.customers(19)
    cli.run("run")
    sandbox.finish_jobs()
    shutil.copy(cli.folder / "backup.duckdb", cli.folder / STATE)
    rename_profile(cli)
    assert cli.run("state", "move", "--from-profile", "shop").code == 0
    cli.customers(18)
    ended = cli.run("run", "--json")
    assert ended.code == 1, ended.err
    assert "All removals are held. The state does not contain the run" in ended.err


def test_rows_of_both_profiles_are_not_mixed(cli: CommandLine) -> None:
    """Exit code 2 that names both."""
    cli.klaviyo()
    cli.run("run")
    rename_profile(cli)
    cli.run("run")
    refused = cli.run("state", "move", "--from-profile", "shop")
    assert refused.code == 2
    assert "rows of both profiles, shop and store" in refused.err


def test_an_unknown_profile_is_a_mistake(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.run("run")
    rename_profile(cli)
    wrong = cli.run("state", "move", "--from-profile", "shob")
    assert wrong.code == 2
    assert "Did you mean shop" in wrong.err


def test_a_state_file_is_moved_to_a_new_state_path(cli: CommandLine) -> None:
    sandbox = cli.klaviyo(destination={"state_path": "old/state.duckdb"})
    (cli.folder / "old").mkdir()
    (cli.folder / "new").mkdir()
    assert cli.run("run").code == 0
    sandbox.finish_jobs()
    text = (cli.folder / "profiles.yml").read_text("utf-8")
    cli.write("profiles.yml", text.replace("old/state.duckdb", "new/state.duckdb"))
    moved = cli.run("state", "move", "--from", "old/state.duckdb", "--json")
    assert moved.code == 0, moved.err
    assert json.loads(moved.out)["to"].endswith("new/state.duckdb")
    assert not (cli.folder / "old/state.duckdb").exists()
    cli.customers(18)
    assert removed(cli) == 2


def test_two_state_files_are_both_named(cli: CommandLine) -> None:
    """Nothing is moved, and the exit code is 2."""
    cli.klaviyo(destination={"state_path": "old.duckdb"})
    cli.run("run")
    text = (cli.folder / "profiles.yml").read_text("utf-8")
    cli.write("profiles.yml", text.replace("old.duckdb", "new.duckdb"))
    cli.run("run")
    refused = cli.run("state", "move", "--from", "old.duckdb")
    assert refused.code == 2
    assert "<folder>/old.duckdb and <folder>/new.duckdb" in refused.err
    assert (cli.folder / "old.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give either --from-profile or --from"),
        (["--from", "missing.duckdb"], "There is no such file"),
        (["--from", "shop.duckdb"], "is not a state of reverse-etl"),
    ],
)
def test_a_mistake_moves_nothing(cli: CommandLine, arguments: list[str], words: str) -> None:
    cli.klaviyo()
    refused = cli.run("state", "move", *arguments)
    assert refused.code == 2
    assert words in refused.err
    assert (cli.folder / "shop.duckdb").exists()
