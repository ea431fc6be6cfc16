"""Completion in a shell: commands, options, models, selectors and targets, from the project that is there."""

from __future__ import annotations

import shlex
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.cli.command_line import PROGRAM, SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


@pytest.fixture
def project(cli: CommandLine) -> CommandLine:
    """Return a project of three models, one of which does not compile."""
    cli.model("win_back", SELECT, list="Win back", tags=["weekly"])
    cli.model("broken", "select from", list="Others")
    return cli


def completed(cli: CommandLine, *words: str) -> list[str]:
    """Return the completions of the last word, as bash would ask for them."""
    cli.environ |= {
        "_REVERSE_ETL_COMPLETE": "bash_complete",
        "COMP_WORDS": shlex.join(["reverse-etl", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ended = cli.run()
    assert (ended.code, ended.err) == (0, "")
    return [line.partition(",")[2] for line in ended.out.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pl"], ["plan"]),
        (["run", "--select", "v"], ["vip"]),
        (["run", "--select", "vip", "--exclude", "w"], ["win_back"]),
        (["run", "--select", "b"], ["broken"]),
        (["plan", "--select", "tag:"], ["tag:weekly"]),
        (["plan", "--select", "list:"], ["list:Others", "list:VIP"]),
        (["plan", "--select", "surface:"], ["surface:list_memberships"]),
        (["run", "--allow-removes", ""], ["broken", "vip", "win_back"]),
        (["run", "--target", ""], ["trial"]),
        (["status", "--rej"], ["--rejected"]),
    ],
)
def test_words_are_completed(project: CommandLine, words: list[str], expected: list[str]) -> None:
    assert completed(project, *words) == expected


ALIASES = "\n".join(
    [
        "a: &a [x]",
        *(f"{this}: &{this} [{', '.join([f'*{last}'] * 9)}]" for last, this in pairwise("abcdefghi")),
    ]
)


@pytest.mark.parametrize("words", [["run", "--select", ""], ["run", "--target", ""]])
@pytest.mark.parametrize(
    "profiles",
    [
        "shop: [",
        "shop: " + "[" * 3_000 + "]" * 3_000,
        "shop: &shop {target: trial, outputs: *shop}",
        ALIASES,
        'shop: {target: trial, outputs: {"\\ud800": {type: duckdb}}}',
    ],
    ids=["no YAML", "deep", "part of itself", "large by aliases", "no text"],
)
def test_a_project_that_cannot_be_read_completes_nothing(
    cli: CommandLine, words: list[str], profiles: str
) -> None:
    cli.write("profiles.yml", profiles)
    assert completed(cli, *words) == []


def test_the_options_before_a_word_count(project: CommandLine) -> None:
    """A profile that needs a variable cannot be read without it."""
    path = project.folder / "profiles.yml"
    path.write_text(path.read_text().replace("shop.duckdb", "\"{{ var('file') }}\""))
    assert completed(project, "run", "--select", "v") == []
    assert completed(project, "run", "--vars", "{file: shop.duckdb}", "--select", "v") == ["vip"]


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


@pytest.mark.parametrize(("shell", "start"), [("zsh", "#compdef reverse-etl"), ("fish", "function ")])
def test_other_shells_have_a_script_too(cli: CommandLine, shell: str, start: str) -> None:
    ended = cli.run("completion", shell)
    assert ended.code == 0
    assert ended.out.lstrip().startswith(start)
