"""The command group. A command's module is imported only when it is called: --help is fast."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from reverse_etl.parsing.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each command is a module of `commands`, in the order in which a user meets them; its summary is here too, so
# that --help imports none of them.
_COMMANDS: Final = {
    "init": "Create a destination and a first model.",
    "debug": "Check whether a run would work.",
    "ls": "List the models with their surface, list and identifiers.",
    "compile": "Print the compiled SQL of the models.",
    "plan": "Show what a run would send, without sending it.",
    "run": "Send what changed, and confirm the outcome of every row.",
    "apply": "Run exactly what a saved plan says, or nothing.",
    "status": "Show the rows and the last run of each list.",
    "explain": "Explain why a person is on a list or not.",
    "history": "Show the runs and what each did, newest first.",
    "retry": "Let the next run send refused rows again.",
    "adopt": "Take ownership of the current list members.",
    "reconcile": "Compare what Klaviyo shows with the rows that were applied.",
    "state": "Change the state: rename, forget, move, trust, readmit.",
    "report": "Write an HTML page about a run, by default the latest.",
    "exposures": "Write a dbt exposure for each model.",
    "sandbox": "Run a local stand-in for Klaviyo until Ctrl-C.",
    "demo": "Run the models on a made-up shop, against a local sandbox.",
    "schema": "Print a JSON Schema, by which an editor checks a file.",
    "completion": "Print the script that completes commands in a shell.",
}


_LOG_OPTION_WIDTHS: Final = {"-v": 1, "--verbose": 1, "-q": 1, "--quiet": 1, "--log-format": 2}

_SELECTORS: Final = ("-s", "--select", "--exclude")


def hoist_log_options(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the logging options moved in front of the command.

    >>> hoist_log_options(["run", "-q", "--select", "vip", "--log-format", "json"])
    ['-q', '--log-format', 'json', 'run', '--select', 'vip']
    """
    log_options: list[str] = []
    others: list[str] = []
    rest = [*arguments]
    while rest and rest[0] != "--":
        width = _LOG_OPTION_WIDTHS.get(rest[0], 1)
        is_log_option = rest[0] in _LOG_OPTION_WIDTHS or rest[0].startswith("--log-format=")
        # Without a value, --log-format must not take the command as its value: let click report it.
        option = ["--log-format="] if rest == ["--log-format"] else rest[:width]
        (log_options if is_log_option else others).extend(option)
        rest = rest[width:]
    return [*log_options, *others, *rest]


def repeat_selectors(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with an option for each selector: as in dbt, --select and --exclude take several.

    >>> repeat_selectors(["run", "--select", "vip", "tag:daily", "--exclude=a", "b", "--json"])
    ['run', '--select', 'vip', '--select', 'tag:daily', '--exclude=a', '--exclude', 'b', '--json']
    """
    repeated: list[str] = []
    rest = [*arguments]
    while rest and rest[0] != "--":
        option, equals, _ = rest[0].partition("=")
        width = 1 if equals or option not in _SELECTORS else 2
        repeated += rest[:width]
        rest = rest[width:]
        while option in _SELECTORS and rest and not rest[0].startswith("-"):
            repeated += [option, rest.pop(0)]
    return [*repeated, *rest]


def find_command(arguments: Sequence[str]) -> list[str]:
    """Return the name of the command in a list, or an empty list if the arguments name none."""
    return [word for word in arguments if word in _COMMANDS][:1]


class CommandGroup(click.Group):
    """The group of all commands, in the order in which a new user needs them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Accept the logging options before and after the command, and several selectors after a flag."""
        return super().parse_args(ctx, repeat_selectors(hoist_log_options(args)))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return [*_COMMANDS]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*_COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the closest name if there is none of that name."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. {did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None if there is none of that name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"reverse_etl.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - of our own modules
        return command
