"""Completion in a shell: commands, options, models, selectors and targets, from the project that is there."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from reverse_etl.cli import app
from reverse_etl.cli.shells import BashCompletion
from tests.cli.command_line import PROGRAM, SELECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.command_line import CommandLine

    Complete = Callable[..., list[str]]  # of a line, and of the signs at which bash breaks words


@pytest.fixture
def project(cli: CommandLine) -> CommandLine:
    """Return a project of three models, one of which does not compile."""
    cli.model("win_back", SELECT, list="Win back", tags=["weekly"])
    cli.model("broken", "select from", list="Others")
    return cli


@pytest.fixture
def complete(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """Give the completions of a line in the project's folder, without a process."""
    monkeypatch.chdir(cli.folder)

    def complete_line(line: str, breaks: str = "") -> list[str]:
        monkeypatch.setenv("COMP_LINE", f"reverse-etl {line}")
        monkeypatch.setenv("COMP_BREAKS", breaks)
        completions = BashCompletion(app, {}, "reverse-etl", "").complete().splitlines()
        return [completion.partition(",")[2] for completion in completions]

    return complete_line


def test_words_are_completed(project: CommandLine, complete: Complete) -> None:
    del project
    expected = {
        "pl": ["plan"],
        "run --select v": ["vip"],
        "run --select vip --exclude w": ["win_back"],
        "run --select b": ["broken"],
        "plan --select tag:": ["tag:weekly"],
        "plan --select list:": ["list:Others", "list:VIP", "list:Win\\ back"],
        "plan --select surface:": ["surface:list_memberships"],
        "run --allow-removes ": ["broken", "vip", "win_back"],
        "run --target ": ["trial"],
        "status --rej": ["--rejected"],
        "plan --detailed-e": ["--detailed-exitcode"],
        "debug --request v": ["vip"],
        "history --model v": ["vip"],
        "explain ann@example.com --model w": ["win_back"],
        "explain ann@example.com --list W": ["Win\\ back"],
    }
    assert {line: complete(line) for line in expected} == expected


def test_names_with_blanks_are_completed_as_bash_reads_them(project: CommandLine, complete: Complete) -> None:
    """Only what follows a colon or an equals sign is replaced; inside quotes, the whole value is."""
    del project
    expected = {
        "run --select list:Win\\ b": ["Win\\ back"],
        "run --select list:W": ["Win\\ back"],
        "run --select 'list:Win b": ["list:Win back"],
        'run --select "list:Win b': ["list:Win back"],
        "run --select=list:W": ["Win\\ back"],
        "run --select=w": ["win_back"],
    }
    assert {line: complete(line, " \t\n\"'@><=;|&(:") for line in expected} == expected


def test_a_list_that_no_selector_can_name_is_not_completed(cli: CommandLine, complete: Complete) -> None:
    """A comma separates selectors. `explain --list` takes any name."""
    cli.model("vip", SELECT, list="A, b")
    assert complete("run --select list:A") == []
    assert complete("explain x --list A") == ["A,\\ b"]


ALIASES = "\n".join(
    [
        "a: &a [x]",
        *(f"{this}: &{this} [{', '.join([f'*{last}'] * 9)}]" for last, this in pairwise("abcdefghi")),
    ]
)


@pytest.mark.parametrize(
    "profiles",
    [
        "shop: [",
        "shop: " + "[" * 700 + "]" * 700,
        "shop: &shop {target: trial, outputs: *shop}",
        ALIASES,
        'shop: {target: trial, outputs: {"\\ud800": {type: duckdb}}}',
    ],
    ids=["no YAML", "deep", "part of itself", "large by aliases", "no text"],
)
def test_a_project_that_cannot_be_read_completes_nothing(
    cli: CommandLine, complete: Complete, profiles: str
) -> None:
    cli.write("profiles.yml", profiles)
    assert (complete("run --select "), complete("run --target ")) == ([], [])


def test_the_options_before_a_word_count(project: CommandLine, complete: Complete) -> None:
    """A profile that needs a variable cannot be read without it."""
    path = project.folder / "profiles.yml"
    path.write_text(path.read_text().replace("shop.duckdb", "\"{{ var('file') }}\""))
    assert complete("run --select v") == []
    assert complete("run --vars '{file: shop.duckdb}' --select v") == ["vip"]


def test_a_shell_asks_the_program(project: CommandLine) -> None:
    line = "reverse-etl run --select list:W"
    project.environ |= {"_REVERSE_ETL_COMPLETE": "bash_complete", "COMP_LINE": line, "COMP_BREAKS": ":"}
    assert project.run() == ("plain,Win\\ back", "", 0)


def test_bash_takes_the_script(cli: CommandLine) -> None:
    script = f'PATH="{PROGRAM.parent}:$PATH"; eval "$(reverse-etl completion bash)"; complete -p reverse-etl'
    ended = subprocess.run(
        ["bash", "--norc", "-c", script],  # noqa: S607 - whichever bash there is
        cwd=cli.folder,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("complete -o nosort -F ")


def test_fish_keeps_the_commas_of_a_name(cli: CommandLine) -> None:
    assert 'string split -m 1 ","' in cli.run("completion", "fish").out


@pytest.mark.parametrize(("shell", "start"), [("zsh", "#compdef reverse-etl"), ("fish", "function ")])
def test_other_shells_have_a_script_too(cli: CommandLine, shell: str, start: str) -> None:
    ended = cli.run("completion", shell)
    assert ended.code == 0
    assert ended.out.lstrip().startswith(start)
