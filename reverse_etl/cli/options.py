"""The flags that commands share, named as dbt names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reverse_etl.cli.output.console import talk
from reverse_etl.config.profiles import load_target
from reverse_etl.parsing.variables import parse_vars
from reverse_etl.planning.plan import Wish
from reverse_etl.project import Project

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]  # as click makes it: gives a command one more flag
NO_VARS: Final = "{}"

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
        "--vars", "vars_", default=NO_VARS, help="Variables for models, as YAML: '{since: 2026-01-01}'."
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
STRICT = click.option("--strict", is_flag=True, help="Exit 1 for standing rejections too.")
SHOW_VALUES = click.option("--show-values", is_flag=True, help="Show e-mails and phones unmasked.")


@dataclass(frozen=True)
class Asked:
    """What the shared flags said; `vars` as they were written."""

    project_dir: Path
    profiles_dir: Path | None
    profile: str | None
    target: str | None
    vars: str
    threads: int | None

    def load(self) -> Project:
        """Load the project, and say the warnings of its profile."""
        project = Project.load(
            self.project_dir,
            target=self.target,
            profile=self.profile,
            profiles_dir=self.profiles_dir,
            vars=parse_vars(self.vars),
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
            vars=parse_vars(self.vars),
        )


@dataclass(frozen=True)
class PlanAsked:
    """What the flags of `plan` and `run` said of the plan, and of how it is shown."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    full_refresh: bool
    limit: int | None
    allow_removes: tuple[str, ...]
    rekey: tuple[str, ...]
    no_dbt_gate: bool
    show_values: bool
    as_json: bool

    @property
    def wish(self) -> Wish:
        """Return what is asked of the plan itself."""
        return Wish(full_refresh=self.full_refresh, limit=self.limit, rekey=frozenset(self.rekey))


def of_project(command: Command) -> Command:
    """Give a command the flags that find a project; it gets them as one `Asked`."""

    def gathered(flags: dict[str, Any]) -> Asked:
        names = ("project_dir", "profiles_dir", "profile", "target", "threads")
        return Asked(**{name: flags.pop(name) for name in names}, vars=flags.pop("vars_"))

    return _given(_PROJECT, _passing(command, gathered))


def of_models(command: Command) -> Command:
    """Give a command the flags that select models."""
    return _given(_SELECTION, command)


def of_plans(*more: Option) -> Callable[[Command], Command]:
    """Give a command the flags that shape and show a plan; it gets them as one `PlanAsked`.

    `more` are flags of its own, in front of those that say how the plan is shown.
    """

    def gathered(flags: dict[str, Any]) -> PlanAsked:
        return PlanAsked(**{field.name: flags.pop(field.name) for field in fields(PlanAsked)})

    def decorated(command: Command) -> Command:
        return _given((*_SELECTION, *_WISH, *more, SHOW_VALUES, AS_JSON), _passing(command, gathered))

    return decorated


def _passing(command: Command, gathered: Callable[[dict[str, Any]], object]) -> Command:
    """Return a command that gets some of its flags as one value, in front of its other arguments."""

    def wrapped(*values: object, **flags: Any) -> Any:
        return command(*values, gathered(flags), **flags)

    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def _given(options: Sequence[Option], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
