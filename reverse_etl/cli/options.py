"""The flags that commands share, named as dbt names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reverse_etl.cli.output.console import terminal
from reverse_etl.config.profiles import load_target
from reverse_etl.dbt.gate import GateMode, GateOptions
from reverse_etl.errors import UsageError
from reverse_etl.parsing.variables import parse_vars
from reverse_etl.planning.plan import PlanOptions
from reverse_etl.project import Project

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]  # as click makes it: gives a command one more flag
NO_VARS: Final = "{}"

_PROJECT_OPTIONS = (
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
    click.option(
        "--dbt-artifacts",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="DIR",
        help="A folder that holds dbt's artifacts; default: dbt's target folder. Repeat for more: the newest "
        "result of each node counts.",
    ),
    click.option("--threads", type=click.IntRange(1, 64), help="Requests in flight; default: 8."),
)
_SELECTION_OPTIONS = (
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
_PLAN_OPTIONS = (
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
    click.option(
        "--strict-gate", is_flag=True, help="Hold back models also where no result of dbt is known."
    ),
    click.option(
        "--dbt-exit-code",
        type=int,
        metavar="CODE",
        help="The exit code of the dbt command before: models are held back where it left no results.",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
STRICT = click.option("--strict", is_flag=True, help="Exit 1 for standing rejections too.")
SHOW_VALUES = click.option("--show-values", is_flag=True, help="Show e-mails and phones unmasked.")


@dataclass(frozen=True)
class ProjectFlags:
    """What the shared flags said; `vars` as they were written."""

    project_dir: Path
    profiles_dir: Path | None
    profile: str | None
    target: str | None
    vars: str
    threads: int | None
    dbt_artifacts: tuple[Path, ...] = ()

    def load(self) -> Project:
        """Load the project, and say the warnings of its profile."""
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
class PlanFlags:
    """What the flags of `plan` and `run` said of the plan, and of how it is shown."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    full_refresh: bool
    limit: int | None
    allow_removes: tuple[str, ...]
    rekey: tuple[str, ...]
    no_dbt_gate: bool
    strict_gate: bool
    dbt_exit_code: int | None
    show_values: bool
    as_json: bool

    @property
    def gate(self) -> GateOptions:
        """Return what is asked of the gate behind dbt. Raises UsageError where the flags contradict."""
        if self.no_dbt_gate and (self.strict_gate or self.dbt_exit_code is not None):
            raise UsageError.of(
                "--no-dbt-gate ignores what dbt says; --strict-gate and --dbt-exit-code ask about it.",
                where="--no-dbt-gate",
                hint="Leave out the one or the others.",
            )
        mode = GateMode.STRICT if self.strict_gate else GateMode.ON
        return GateOptions(GateMode.OFF if self.no_dbt_gate else mode, self.dbt_exit_code)

    @property
    def options(self) -> PlanOptions:
        """Return what is asked of the plan itself."""
        return PlanOptions(full_refresh=self.full_refresh, limit=self.limit, rekey=frozenset(self.rekey))


def project_options(command: Command) -> Command:
    """Give a command the flags that find a project; it gets them as one `ProjectFlags`."""

    def build_project_flags(flags: dict[str, Any]) -> ProjectFlags:
        names = ("project_dir", "profiles_dir", "profile", "target", "threads", "dbt_artifacts")
        return ProjectFlags(**{name: flags.pop(name) for name in names}, vars=flags.pop("vars_"))

    return _add_options(_PROJECT_OPTIONS, _bundle_options(command, build_project_flags))


def selection_options(command: Command) -> Command:
    """Give a command the flags that select models."""
    return _add_options(_SELECTION_OPTIONS, command)


def plan_options(*extra_options: Option) -> Callable[[Command], Command]:
    """Give a command the flags that shape and show a plan; it gets them as one `PlanFlags`.

    `extra_options` are flags of its own, in front of those that say how the plan is shown.
    """

    def build_plan_flags(flags: dict[str, Any]) -> PlanFlags:
        return PlanFlags(**{field.name: flags.pop(field.name) for field in fields(PlanFlags)})

    def decorate(command: Command) -> Command:
        return _add_options(
            (*_SELECTION_OPTIONS, *_PLAN_OPTIONS, *extra_options, SHOW_VALUES, AS_JSON),
            _bundle_options(command, build_plan_flags),
        )

    return decorate


def _bundle_options(command: Command, build_flags: Callable[[dict[str, Any]], object]) -> Command:
    """Return a command that gets some of its flags as one value, in front of its other arguments."""

    def wrapped(*values: object, **flags: Any) -> Any:
        return command(*values, build_flags(flags), **flags)

    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def _add_options(options: Sequence[Option], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
