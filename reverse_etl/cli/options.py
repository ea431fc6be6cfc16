"""The flags that commands share, named as dbt names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverse_etl.cli.talk import talk
from reverse_etl.planning import Wish
from reverse_etl.profiles.load import load_target
from reverse_etl.project import Project
from reverse_etl.variables import parse_vars

if TYPE_CHECKING:
    from reverse_etl.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])

_PROJECT = (
    click.option(
        "--project-dir",
        type=click.Path(path_type=Path),
        default=".",
        envvar="DBT_PROJECT_DIR",
        help="The project's folder; default: this one.",
    ),
    click.option("--profiles-dir", type=click.Path(path_type=Path), help="The folder of profiles.yml."),
    click.option("--profile", help="The profile in profiles.yml."),
    click.option("-t", "--target", help="The target of the profile."),
    click.option(
        "--vars", "vars_", default="{}", help="Variables for models, as YAML: '{since: 2026-01-01}'."
    ),
    click.option("--threads", type=click.IntRange(1, 64), help="Requests in flight; default: 8."),
)
_SELECTION = (
    click.option(
        "-s",
        "--select",
        "select",
        multiple=True,
        help="Models: name, glob, path, tag:x, list:x, surface:x, or dbt_model+ for all that it feeds. "
        "Repeat for more; a comma means both.",
    ),
    click.option("--exclude", multiple=True, help="Models to leave out, as --select."),
)
_WISH = (
    click.option(
        "--full-refresh", is_flag=True, help="Send every row again; the snapshot stays, for removals."
    ),
    click.option(
        "--limit", type=click.IntRange(1), help="Send only the first N rows, and remove nobody: a first send."
    ),
    click.option(
        "--allow-removes",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass its guards this once; repeat for more.",
    ),
    click.option(
        "--rekey",
        multiple=True,
        metavar="MODEL",
        help="Accept that this model's identifiers changed; repeat for more.",
    ),
    click.option(
        "--no-dbt-gate", is_flag=True, help="Do not look at whether dbt built and tested what models read."
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
SHOW_VALUES = click.option(
    "--show-values", is_flag=True, help="Show e-mails and phones unmasked in the sample."
)


@dataclass(frozen=True)
class Asked:
    """What the shared flags said."""

    project_dir: Path
    profiles_dir: Path | None
    profile: str | None
    target: str | None
    vars: Mapping[str, Any]
    threads: int | None

    def load(self) -> Project:
        """Load the project, and say the warnings of its profile."""
        project = Project.load(
            self.project_dir,
            target=self.target,
            profile=self.profile,
            profiles_dir=self.profiles_dir,
            vars=self.vars,
            threads=self.threads,
        )
        for warning in project.target.warnings:
            talk.warn(warning)
        return project

    def load_target(self) -> Target:
        """Load the target alone."""
        return load_target(
            self.project_dir,
            profiles_dir=self.profiles_dir,
            profile=self.profile,
            target=self.target,
            environ=os.environ,
            vars=self.vars,
        )


def of_project(command: Command) -> Command:
    """Give a command the flags that find a project; it gets them as one `Asked`."""

    def wrapped(**flags: Any) -> Any:
        names = ("project_dir", "profiles_dir", "profile", "target", "threads")
        asked = Asked(**{name: flags.pop(name) for name in names}, vars=parse_vars(flags.pop("vars_")))
        return command(asked, **flags)

    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_PROJECT):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def of_models(command: Command) -> Command:
    """Give a command the flags that select models."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


def of_plans(command: Command) -> Command:
    """Give a command the flags that shape a plan."""
    for option in reversed(_WISH):
        command = option(command)
    return command


def wish_of(*, full_refresh: bool, limit: int | None, rekey: tuple[str, ...]) -> Wish:
    """Return what the flags ask of a plan."""
    return Wish(full_refresh=full_refresh, limit=limit, rekey=frozenset(rekey))
