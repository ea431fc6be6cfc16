"""`reverse-etl plan`: show what a run would send."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import ProjectFlags, request_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.plan import show_plan
from reverse_etl.cli.plan_options import PlanFlags, plan_options
from reverse_etl.dbt.gate import format_warning
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import GuardRefused
from reverse_etl.files import write_atomically
from reverse_etl.formatting import format_count
from reverse_etl.planning.profile_forecast import LOOKED_UP_PEOPLE
from reverse_etl.planning.project_gate import collect_warnings

if TYPE_CHECKING:
    from reverse_etl.planning.plan import Plan
    from reverse_etl.project import Project


_OUT_OPTION = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan to a file for `apply`."
)
_ROWS_OPTION = click.option(
    "--rows",
    metavar="N|all",
    callback=lambda _context, _option, value: _parse_rows(value),
    help="Number of changes to show of each kind and list. [default: 3; csv: all]",
)
_FORMAT_OPTION = click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "markdown", "csv")),
    help="How to print the plan: markdown is for a pull request, csv has the changes alone. [default: text]",
)
_DETAILED_EXIT_CODE_OPTION = click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="As in Terraform, exit with 0 if there is nothing to send, 2 if there is, and 1 instead of 2 for a "
    "usage or configuration error.",
)
_ALL_ROWS = 2**31 - 1
_EXIT_CHANGES = 2  # only with --detailed-exitcode


class PlanFormat(StrEnum):
    """The ways to print a plan."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


@dataclass(frozen=True)
class PlanView:
    """How to print a plan, and how many changes of each kind and list; 0 means the default."""

    format: PlanFormat = PlanFormat.TEXT
    rows: int = 0

    @property
    def sample_size(self) -> int:
        """Return the number of changes to fetch; 0 means the project's default."""
        return _ALL_ROWS if self.format is PlanFormat.CSV and not self.rows else self.rows


def _parse_rows(value: str | None) -> int:
    """Return the number of changes to show, 0 for the default."""
    if value is None:
        return 0
    if value == "all":
        return _ALL_ROWS
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= _ALL_ROWS:
        raise click.BadParameter(f"{value!r} is not a number of rows, and not 'all'.")
    return int(value)


@click.command("plan")
@request_options
@plan_options(_OUT_OPTION, _ROWS_OPTION, _FORMAT_OPTION, _DETAILED_EXIT_CODE_OPTION)
def command(  # noqa: PLR0913 - one argument per flag
    project_flags: ProjectFlags,
    plan_flags: PlanFlags,
    *,
    out: Path | None,
    rows: int,
    format_: str | None,
    detailed_exitcode: bool,
) -> int:
    """Show what a run would send, without sending it.

    Changes no table, and no file except the one that --out names. Works without a key, but then does not look
    up lists in Klaviyo. Exits with 3 if a guard or the dbt gate would stop a list, and with 2 if dbt's
    results are missing.
    """
    if out == Path("-"):
        raise click.UsageError("--out needs a file name.")
    if format_ and plan_flags.as_json:
        raise click.UsageError("--format conflicts with --json.")
    view = PlanView(PlanFormat.JSON if plan_flags.as_json else PlanFormat(format_ or PlanFormat.TEXT), rows)
    project = project_flags.load()
    try:
        plan = plan_and_print(project, plan_flags, view, with_digest=out is not None)
    except GuardRefused:
        if out is not None:
            terminal.warn(f"The plan is not saved to {out}, because a run would be stopped.")
        raise
    if out is not None:
        _save_plan(project, plan, project_flags, plan_flags, out)
    return _EXIT_CHANGES if detailed_exitcode and plan.estimate_requests() else 0


def plan_and_print(
    project: Project, plan_flags: PlanFlags, view: PlanView, *, with_digest: bool = False
) -> Plan:
    """Build a plan and print it. Raises GuardRefused, after printing, if a list would be stopped."""
    people = LOOKED_UP_PEOPLE if plan_flags.new_profiles is None else plan_flags.new_profiles
    options = replace(
        plan_flags.options, with_digest=with_digest, sample_size=view.sample_size, forecast_people=people
    )
    plan = project.plan(
        plan_flags.select,
        plan_flags.exclude,
        options=options,
        on_progress=terminal.print_progress,
        on_request=terminal.print_request,
    )
    _print_plan(project, plan, view.format, show_values=plan_flags.show_values)
    warn_unverified_plan(project, plan)
    models = [model_plan.model for model_plan in plan.models]
    verdict = project.check_gate(models, plan_flags.gate)
    hints = (hint for model in models for hint in model.hints)
    for warning in (*collect_warnings(models, verdict), *hints):
        terminal.warn(format_warning(warning))
    if problems := plan.collect_stops(verdict.refusals):
        raise GuardRefused(*problems)
    return plan


def _print_plan(project: Project, plan: Plan, plan_format: PlanFormat, *, show_values: bool) -> None:
    match plan_format:
        case PlanFormat.TEXT:
            show_plan(plan, show_values=show_values)
        case PlanFormat.JSON:
            from reverse_etl.cli.output.json import plan_document

            show.print_json(plan_document(plan, show_values=show_values))
        case PlanFormat.MARKDOWN:
            from reverse_etl.cli.output.plan_markdown import print_plan_markdown

            made_at = format_epoch_seconds(project.clock.now())
            print_plan_markdown(plan, project.target, made_at, show_values=show_values)
        case PlanFormat.CSV:
            from reverse_etl.cli.output.plan_csv import print_plan_csv

            print_plan_csv(plan, show_values=show_values)


def _save_plan(
    project: Project, plan: Plan, project_flags: ProjectFlags, plan_flags: PlanFlags, out: Path
) -> None:
    """Write a plan to a file. Raises UsageError if the lists were not looked up."""
    from reverse_etl.planning.saved_plan import SavedPlan

    if not plan.lists_looked_up:
        project.target.destination.require_key()  # a sandbox that has not started has a key, and no lists yet
    saved_plan = SavedPlan.from_plan(
        plan,
        project.target,
        options=plan_flags.options,
        made_at=format_epoch_seconds(project.clock.now()),
        vars=project_flags.vars,
        gate=plan_flags.gate.mode,
    )
    write_atomically(out, saved_plan.to_bytes())
    terminal.info(f"Saved the plan. To run exactly this plan: reverse-etl apply {shlex.quote(str(out))}")


def warn_unverified_plan(project: Project, plan: Plan) -> None:
    """Warn if the run may differ from its plan, with the reason."""
    if not plan.lists_looked_up:
        sandbox = project.target.destination.sandbox
        reason = "the sandbox starts with the first run" if sandbox else "there is no key"
        terminal.info(
            f"Lists were not looked up: {reason}. Lists without an earlier run are assumed to be new."
        )
        if not sandbox and not project.target.destination.create_lists and plan.new_list_names:
            names = ", ".join(map(repr, plan.new_list_names))
            terminal.warn(
                f"create_lists is false: a run stops if Klaviyo does not have the lists {names}. "
                "With a key, plan looks them up."
            )
    if plan.unfinished_runs:
        runs_text = format_count(plan.unfinished_runs, "earlier run")
        terminal.info(
            f"{runs_text} did not finish. The next run settles them first, and may then send less than "
            "this plan."
        )
