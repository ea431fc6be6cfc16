"""The commands of the README's first list reach one: in a folder with people, and in dbt projects."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.command_line import PROGRAM, CommandLine
from tests.dbt.example_projects import JAFFLE_SHOP, TODAYS_JAFFLE_SHOP
from tests.dbt.real_dbt import dbt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """Give a folder in which nothing of ours is yet."""
    (tmp_path / "home").mkdir()
    with closing(CommandLine(tmp_path)) as line:
        for name in ("models/vip.sql", "profiles.yml", "shop.duckdb"):
            (tmp_path / name).unlink()
        (tmp_path / "models").rmdir()
        yield line


def _write(cli: CommandLine, project: Mapping[str, str]) -> None:
    for path, text in project.items():
        cli.write(path, text)


def _readme_commands() -> list[list[str]]:
    """Return the commands of the README's first list, as they are written."""
    section = README.read_text(encoding="utf-8").partition("## Your first list in ten minutes")[2]
    commands = re.findall(r"^ +\$ reverse-etl (.*?)(?: +#.*)?$", section, flags=re.MULTILINE)
    return [shlex.split(command) for command in commands[:6]]


def _reach_first_list(cli: CommandLine) -> None:
    """Run the README's commands after `init`; the list then has twenty members."""
    commands = _readme_commands()
    assert [command[0] for command in commands] == ["init", "debug", "plan", "run", "status", "report"]
    for command in commands[1:]:
        ended = cli.run(*command)
        assert ended.code == 0, (command, ended)
        assert command != ["status"] or " 20 " in ended.out


def test_in_a_folder_with_any_table_of_people(cli: CommandLine) -> None:
    people = """SELECT 'p' || i || '@example.com' AS "E-Mail", 'F' AS "First Name" FROM range(20) AS t(i)"""
    cli.sql(f"CREATE TABLE shoppers AS {people}")
    assert cli.run(*_readme_commands()[0]).code == 0
    _reach_first_list(cli)


def test_in_todays_jaffle_shop_whose_profile_is_in_its_folder(cli: CommandLine) -> None:
    _write(cli, TODAYS_JAFFLE_SHOP)
    dbt(cli.folder, "seed", "--vars", "load_source_data: true")
    dbt(cli.folder, "build")
    (cli.folder / ".git").mkdir()
    assert cli.run(*_readme_commands()[0]).code == 0
    ignored = (cli.folder / ".gitignore").read_text().splitlines()
    assert ignored[4:] == ["/jaffle.duckdb*", "*.reverse_etl.duckdb*", "klaviyo_sandbox.sqlite*"]
    _reach_first_list(cli)


def test_in_jaffle_shop_whose_profile_is_in_the_home_folder(cli: CommandLine) -> None:
    """`init` asks before it changes that profile, which other projects may read, and keeps what is there."""
    text = "jaffle_shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: jaffle_shop.duckdb}\n"
    profile = cli.write("home/.dbt/profiles.yml", text)
    _write(cli, JAFFLE_SHOP)
    dbt(cli.folder, "build", "--profiles-dir", str(profile.parent))
    for answer in ("n", "y"):
        assert profile.read_text() == text
        terminal, stdin = os.openpty()
        with subprocess.Popen(
            [PROGRAM, *_readme_commands()[0]],
            cwd=cli.folder,
            env=cli.environment(),
            text=True,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            os.write(terminal, f"{answer}\n".encode())
            out = process.communicate(timeout=100)[0]
        os.close(terminal)
        os.close(stdin)
        assert "may belong to other projects too. Add a destination to it? [y/N]" in out
        assert process.returncode == (2 if answer == "n" else 0), out
    assert profile.read_text() == text + "  destinations:\n    dev: {type: klaviyo, sandbox: true}\n"
    _reach_first_list(cli)
