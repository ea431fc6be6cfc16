"""The options that commands share, with dbt's names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reverse_etl.cli.completions import complete_selectors, complete_targets
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.profiles import load_target
from reverse_etl.parsing.variables import parse_vars
from reverse_etl.project import Project

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]  # a click decorator that adds one option to a command
NO_VARS: Final = "{}"

_PROJECT_OPTIONS = (
    click.option(
        "--project-dir",
        type=click.Path(path_type=Path),
        default=".",
        envvar="DBT_PROJECT_DIR",
        help="Project folder. [default: current folder]",
    ),
    click.option("--profiles-dir", type=click.Path(path_type=Path), help="Folder that holds profiles.yml."),
    click.option("--profile", help="Profile in profiles.yml."),
    click.option("-t", "--target", shell_complete=complete_targets, help="Target of the profile."),
    click.option(
        "--vars", "vars_", default=NO_VARS, help="Variables for the models, as YAML: '{since: 2026-01-01}'."
    ),
)
_ARTIFACTS_OPTION = click.option(
    "--dbt-artifacts",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="Folder that holds dbt's artifacts. Repeatable: the newest result of each node counts. "
    "[default: dbt's target folder]",
)
_THREADS_OPTION = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Maximum number of concurrent requests, and of models that a warehouse stages at the same time. "
    "[default: 8 requests; the output's threads for models]",
)
_SELECTION_OPTIONS = (
    click.option(
        "-s",
        "--select",
        "select",
        multiple=True,
        shell_complete=complete_selectors,
        help="Models to select: name, glob, path, tag:x, list:x, surface:x, or dbt_model+ for everything "
        "downstream. Separate several by blanks; a comma intersects.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        shell_complete=complete_selectors,
        help="Models to exclude, with the same syntax as --select.",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
STRICT = click.option(
    "--strict", is_flag=True, help="Exit with 1 for known rejections too, not only for new ones."
)
LEASE_TIMEOUT = click.option(
    "--lease-timeout",
    type=click.IntRange(0),
    default=0,
    metavar="MINUTES",
    help="Wait so long for another run of the project to end, or for the lease of a killed run to expire "
    "(10 minutes).",
)
SHOW_VALUES = click.option(
    "--show-values", is_flag=True, help="Show e-mail addresses and phone numbers unmasked."
)


@dataclass(frozen=True)
class ProjectFlags:
    """The values of the project options; `vars` is the unparsed YAML text."""

    project_dir: Path
    profiles_dir: Path | None
    profile: str | None
    target: str | None
    vars: str
    threads: int | None
    dbt_artifacts: tuple[Path, ...] = ()

    def load(self) -> Project:
        """Load the project and print the warnings of its profile."""
        project = Project.load(
            self.project_dir,
            target=self.target,
            profile=self.profile,
            profiles_dir=self.profiles_dir,
            vars=parse_vars(self.vars),
            threads=self.threads,
            dbt_artifacts=self.dbt_artifacts,
        )
        for warning in project.target.warnings:
            terminal.warn(warning)
        return project

    def load_target(self) -> Target:
        """Load the target only."""
        return load_target(
            self.project_dir,
            profiles_dir=self.profiles_dir,
            profile=self.profile,
            target=self.target,
            environ=os.environ,
            vars=parse_vars(self.vars),
        )


@dataclass(frozen=True)
class ListFlags:
    """The values of the options of commands that show lists: which models, and how to print."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    show_values: bool
    as_json: bool


def state_options(command: Command) -> Command:
    """Add the options that find a project's state, for a command that needs no model of it.

    The command receives them as one `ProjectFlags`.
    """

    def build_project_flags(flags: dict[str, Any]) -> ProjectFlags:
        names = ("project_dir", "profiles_dir", "profile", "target")
        return ProjectFlags(
            **{name: flags.pop(name) for name in names},
            vars=flags.pop("vars_"),
            threads=flags.pop("threads", None),
            dbt_artifacts=flags.pop("dbt_artifacts", ()),
        )

    return _add_options(_PROJECT_OPTIONS, _bundle_options(command, build_project_flags))


def project_options(command: Command) -> Command:
    """Add the options of `state_options`, and where dbt's artifacts are, which may name models."""
    return state_options(_ARTIFACTS_OPTION(command))


def request_options(command: Command) -> Command:
    """Add the options of `project_options`, and the number of concurrent requests."""
    return project_options(_THREADS_OPTION(command))


def selection_options(command: Command) -> Command:
    """Add the options that select models."""
    return _add_options(_SELECTION_OPTIONS, command)


def list_options(*extra_options: Option) -> Callable[[Command], Command]:
    """Add the options of a command that shows lists; the command receives them as one `ListFlags`."""
    return lambda command: add_selection_flags(ListFlags, extra_options, command)


def add_selection_flags(flag_class: type[Any], options: Sequence[Option], command: Command) -> Command:
    """Add options and those that select models and format the output; the command receives a `flag_class`."""

    def build_flags(flags: dict[str, Any]) -> Any:
        return flag_class(**{field.name: flags.pop(field.name) for field in fields(flag_class)})

    return _add_options(
        (*_SELECTION_OPTIONS, *options, SHOW_VALUES, AS_JSON), _bundle_options(command, build_flags)
    )


def _bundle_options(command: Command, build_flags: Callable[[dict[str, Any]], object]) -> Command:
    """Return a command that receives some of its options as one value, before its other arguments."""

    def wrapped(*values: object, **flags: Any) -> Any:
        return command(*values, build_flags(flags), **flags)

    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def _add_options(options: Sequence[Option], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
