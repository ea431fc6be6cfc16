"""The commands, each loaded when it is asked for: `--version` need not wait for what `run` needs."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

_MODULES: Final = {
    "init": "init",
    "debug": "debug",
    "ls": "ls",
    "compile": "compile_",
    "plan": "plan",
    "run": "run",
    "status": "status",
    "retry": "retry",
    "exposures": "exposures",
    "sandbox": "sandbox",
    "demo": "demo",
}


class Commands(click.Group):
    """The group of all commands, listed in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return [*_MODULES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command, None for a name that is none."""
        del ctx
        if cmd_name not in _MODULES:
            return None
        command = import_module(f"reverse_etl.cli.{_MODULES[cmd_name]}").command
        assert isinstance(command, click.Command)  # noqa: S101 - of our own modules
        return command
