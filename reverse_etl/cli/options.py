"""The options that commands share, with dbt's names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reverse_etl.cli.output.console import terminal
from reverse_etl.config.profiles import load_target
from reverse_etl.dbt.gate import GateMode, GateOptions
from reverse_etl.errors import UsageError
from reverse_etl.parsing.variables import parse_vars
from reverse_etl.planning.plan import PlanOptions
from reverse_etl.planning.violations import Allowances
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
    click.option("-t", "--target", help="Target of the profile."),
    click.option(
        "--vars", "vars_", default=NO_VARS, help="Variables for the models, as YAML: '{since: 2026-01-01}'."
    ),
    click.option(
        "--dbt-artifacts",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="DIR",
        help="Folder that holds dbt's artifacts. Repeatable: the newest result of each node counts. "
        "[default: dbt's target folder]",
    ),
    click.option(
        "--threads", type=click.IntRange(1, 64), help="Maximum number of concurrent requests. [default: 8]"
    ),
)
_SELECTION_OPTIONS = (
    click.option(
        "-s",
        "--select",
        "select",
        multiple=True,
        help="Models to select: name, glob, path, tag:x, list:x, surface:x, or dbt_model+ for everything "
        "downstream. Separate several by blanks; a comma intersects.",
    ),
    click.option("--exclude", multiple=True, help="Models to exclude, with the same syntax as --select."),
)
_PLAN_OPTIONS = (
    click.option(
        "--full-refresh",
        is_flag=True,
        help="Send every row again. The snapshot stays, so removals still work. Rows that this run does not "
        "send are sent by the next ones.",
    ),
    click.option(
        "--limit", type=click.IntRange(1), help="Send at most N rows and remove nobody: for a first try."
    ),
    click.option(
        "--allow-removes",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass the guards min_rows and max_removes in this run. Repeatable.",
    ),
    click.option(
        "--allow-adds",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass the guard max_adds in this run. Repeatable.",
    ),
    click.option(
        "--allow-updates",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass the guard max_updates in this run. Repeatable.",
    ),
    click.option(
        "--allow-rejected",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass the guard max_rejected in this run. Repeatable.",
    ),
    click.option(
        "--allow-new-lists",
        multiple=True,
        metavar="MODEL",
        help="Let this model create more than 5 lists in this run. Repeatable.",
    ),
    click.option(
        "--allow-request",
        multiple=True,
        metavar="MODEL",
        help="Let this model send unsafe requests, or more than max_requests, in this run. Repeatable.",
    ),
    click.option(
        "--allow-clears",
        multiple=True,
        metavar="MODEL",
        help="Let this model pass the guard max_clears in this run. Repeatable.",
    ),
    click.option(
        "--live-since",
        metavar="TIME",
        help="Let events start flows from this time on, as 2026-11-30T08:00:00Z: for the selected models of "
        "events, where the state can't know what was sent before.",
    ),
    click.option(
        "--new-profiles",
        is_flag=True,
        help="Ask Klaviyo how many profiles the plan would create, for at most 2,000 people.",
    ),
    click.option(
        "--allow-resubscribe",
        multiple=True,
        metavar="MODEL",
        help="Let this model subscribe up to 10 people again who unsubscribed. Repeatable.",
    ),
    click.option(
        "--allow-deletes",
        multiple=True,
        metavar="MODEL[=N]",
        help="Let this model delete people for good in this run: at most N, or 10. Repeatable.",
    ),
    click.option(
        "--rekey",
        multiple=True,
        metavar="MODEL",
        help="Accept that this model's identifiers changed. Repeatable.",
    ),
    click.option(
        "--no-dbt-gate", is_flag=True, help="Don't check dbt's results for the tables that the models read."
    ),
    click.option("--strict-gate", is_flag=True, help="Also stop models whose tables have no dbt result."),
    click.option(
        "--dbt-exit-code",
        type=int,
        metavar="CODE",
        help="Exit code of the dbt command before. If it failed without results, models are stopped.",
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
class PlanFlags:
    """The values of the options that `plan` and `run` share."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    full_refresh: bool
    limit: int | None
    allow_removes: tuple[str, ...]
    allow_adds: tuple[str, ...]
    allow_updates: tuple[str, ...]
    allow_rejected: tuple[str, ...]
    allow_new_lists: tuple[str, ...]
    allow_request: tuple[str, ...]
    allow_clears: tuple[str, ...]
    new_profiles: bool
    live_since: str | None
    allow_resubscribe: tuple[str, ...]
    allow_deletes: tuple[str, ...]
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
                "--no-dbt-gate conflicts with --strict-gate and --dbt-exit-code.",
                where="--no-dbt-gate",
                hint="Remove --no-dbt-gate, or the other options.",
            )
        mode = GateMode.STRICT if self.strict_gate else GateMode.ON
        return GateOptions(GateMode.OFF if self.no_dbt_gate else mode, self.dbt_exit_code)

    @property
    def options(self) -> PlanOptions:
        """Return the options that change the plan itself."""
        return PlanOptions(
            full_refresh=self.full_refresh,
            limit=self.limit,
            rekey=frozenset(self.rekey),
            forecast=self.new_profiles,
            live_since=_parse_time(self.live_since) if self.live_since else None,
            allow=Allowances(
                removes=self.allow_removes,
                adds=self.allow_adds,
                updates=self.allow_updates,
                rejected=self.allow_rejected,
                new_lists=self.allow_new_lists,
                request=self.allow_request,
                clears=self.allow_clears,
                resubscribe=self.allow_resubscribe,
                deletes=dict(map(_parse_deletes, self.allow_deletes)),
            ),
        )


def _parse_time(text: str) -> datetime:
    """Return the time of an option. Raises UsageError for one without a zone."""
    with suppress(ValueError):
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time
    raise UsageError.of(
        f"{text!r} is not a time with a zone.",
        where="--live-since",
        hint="For example: 2026-11-30T08:00:00Z",
    )


def _parse_deletes(value: str) -> tuple[str, int | None]:
    """Return the model of `--allow-deletes`, and the most people. Raises UsageError for what is no number."""
    model, has_number, number = value.partition("=")
    if not has_number:
        return model, None
    if not number.isascii() or not number.isdigit():
        raise UsageError.of(
            f"{number!r} is not a number of people.",
            where=f"--allow-deletes {value}",
            hint=f"For example: --allow-deletes {model}=20",
        )
    return model, int(number)


@dataclass(frozen=True)
class ListFlags:
    """The values of the options of commands that show lists: which models, and how to print."""

    select: tuple[str, ...]
    exclude: tuple[str, ...]
    show_values: bool
    as_json: bool


def project_options(command: Command) -> Command:
    """Add the options that find a project; the command receives them as one `ProjectFlags`."""

    def build_project_flags(flags: dict[str, Any]) -> ProjectFlags:
        names = ("project_dir", "profiles_dir", "profile", "target", "threads", "dbt_artifacts")
        return ProjectFlags(**{name: flags.pop(name) for name in names}, vars=flags.pop("vars_"))

    return _add_options(_PROJECT_OPTIONS, _bundle_options(command, build_project_flags))


def selection_options(command: Command) -> Command:
    """Add the options that select models."""
    return _add_options(_SELECTION_OPTIONS, command)


def plan_options(*extra_options: Option) -> Callable[[Command], Command]:
    """Add the options of a plan; the command receives them as one `PlanFlags`.

    `extra_options` are listed before the options that format the output.
    """
    return lambda command: _add_selection_flags(PlanFlags, (*_PLAN_OPTIONS, *extra_options), command)


def list_options(*extra_options: Option) -> Callable[[Command], Command]:
    """Add the options of a command that shows lists; the command receives them as one `ListFlags`."""
    return lambda command: _add_selection_flags(ListFlags, extra_options, command)


def _add_selection_flags(
    flag_class: type[PlanFlags | ListFlags], options: Sequence[Option], command: Command
) -> Command:
    def build_flags(flags: dict[str, Any]) -> PlanFlags | ListFlags:
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
