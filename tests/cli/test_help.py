"""The help of every command is in gold/help and in docs/cli.md, word for word."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.cli.group import CommandGroup
from reverse_etl.cli.options import ProjectFlags
from reverse_etl.cli.plan_options import PlanFlags

if TYPE_CHECKING:
    from tests.gold import Gold

HELP = Path(__file__).parent / "gold" / "help"
DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
assert isinstance(app, CommandGroup)
CONTEXT = click.Context(app)
COMMANDS = app.list_commands(CONTEXT)
FOUND = {name: app.get_command(CONTEXT, name) for name in COMMANDS}
GROUPS = {name: command for name, command in FOUND.items() if isinstance(command, click.Group)}
SUBCOMMANDS = [f"{name} {command}" for name, group in GROUPS.items() for command in group.commands]


def _help(*command: str) -> str:
    shown = CliRunner(env={"COLUMNS": "100"}).invoke(app, [*command, "--help"], prog_name="reverse-etl")
    return "\n".join(line.rstrip() for line in shown.output.splitlines()) + "\n"


def _help_again(match: re.Match[str]) -> str:
    return _help(*match[1].split()[1:])


@pytest.mark.parametrize("command", ["", *COMMANDS, *SUBCOMMANDS], ids=["app", *COMMANDS, *SUBCOMMANDS])
def test_the_help_of_a_command_is_the_gold_file(command: str, gold: Gold) -> None:
    gold.check(HELP / f"{command.replace(' ', '_') or 'app'}.txt", _help(*command.split()))


def test_the_list_of_commands_has_the_first_sentence_of_each() -> None:
    listed = dict(line.split(maxsplit=1) for line in _help().partition("Commands:\n")[2].splitlines())
    assert listed == {name: command.get_short_help_str(200) for name, command in FOUND.items() if command}


def test_every_gold_file_belongs_to_a_command() -> None:
    commands = {"app", *COMMANDS, *(command.replace(" ", "_") for command in SUBCOMMANDS)}
    assert {path.stem for path in HELP.iterdir()} == commands


def test_the_document_has_a_section_for_each_command_with_its_help(gold: Gold) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    if gold.update:
        text = re.sub(r"(?<=```text\n)Usage: (.*?)\[.*?(?=```)", _help_again, text, flags=re.DOTALL)
        DOCUMENT.write_text(text, encoding="utf-8")
    sections = re.findall(r"^## `reverse-etl (\S+)`\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert [command for command, _ in sections] == COMMANDS
    for command, section in sections:
        subcommands = [name for name in SUBCOMMANDS if name.startswith(f"{command} ")]
        for name in (command, *subcommands):
            assert f"```text\n{_help(*name.split())}```\n" in section, name
    assert f"```text\n{_help()}```\n" in text


def test_every_flag_and_command_has_a_help_text() -> None:
    """No flag without a text, and no argument of which the help's text says nothing.

    The list of commands shows each first sentence whole.
    """
    for name in COMMANDS:
        command = app.get_command(CONTEXT, name)
        assert command is not None
        flags = [each for each in command.params if isinstance(each, click.Option)]
        assert all(flag.help for flag in flags), name
        named = [each.make_metavar(click.Context(command)) for each in command.params if each not in flags]
        assert all(name_.strip("[]") in (command.help or "") for name_ in named), name
    assert "..." not in _help().partition("Commands:")[2]


def test_run_has_every_flag_of_plan() -> None:
    """`run --dry-run` is `plan`: what shapes and shows a plan is one value, which both commands get.

    A plan that is saved, or shown in another way, is the business of `plan` alone.
    """
    plan, run = (app.get_command(CONTEXT, name) for name in ("plan", "run"))
    assert plan is not None
    assert run is not None
    flags, of_run = ({parameter.name for parameter in command.params} for command in (plan, run))
    assert of_run - flags == {"dry_run", "strict", "lease_timeout"}
    assert {field.name for field in fields(PlanFlags)} | {field.name for field in fields(ProjectFlags)} == (
        flags - {"vars_", "out", "rows", "format_", "detailed_exitcode"} | {"vars"}
    )
