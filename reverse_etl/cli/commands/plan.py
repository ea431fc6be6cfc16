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
from reverse_etl.errors import GuardRefused, ReverseEtlError
from reverse_etl.files import write_atomically
from reverse_etl.formatting import format_count
from reverse_etl.planning.profile_forecast import LOOKED_UP_PEOPLE
from reverse_etl.planning.project_gate import collect_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.errors import Problem
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
    try:
        findings = _collect_findings(project, plan, plan_flags)
    except ReverseEtlError as error:  # dbt's results are missing or unreadable
        findings = _Findings((), (), error.problems)
        _print_plan(project, plan, findings, view.format, show_values=plan_flags.show_values)
        raise
    _print_plan(project, plan, findings, view.format, show_values=plan_flags.show_values)
    for note in findings.notes:
        terminal.info(note)
    for warning in findings.warnings:
        terminal.warn(warning)
    if problems := plan.collect_stops(findings.refusals):
        raise GuardRefused(*problems)
    return plan


@dataclass(frozen=True)
class _Findings:
    """Facts beside a plan: `notes` on how sure it is, warnings, and why the dbt gate holds models."""

    notes: Sequence[str]
    warnings: Sequence[str]
    refusals: Sequence[Problem]

    @property
    def sentences(self) -> list[str]:
        """Return all of them as sentences."""
        return [*map(format_warning, self.refusals), *self.warnings, *self.notes]


def _collect_findings(project: Project, plan: Plan, plan_flags: PlanFlags) -> _Findings:
    models = [model_plan.model for model_plan in plan.models]
    verdict = project.check_gate(models, plan_flags.gate)
    hints = (hint for model in models for hint in model.hints)
    warnings = map(format_warning, (*collect_warnings(models, verdict), *hints))
    return _Findings(
        [*find_doubts(project, plan)], [*_find_list_warnings(project, plan), *warnings], verdict.refusals
    )


def _print_plan(
    project: Project, plan: Plan, findings: _Findings, plan_format: PlanFormat, *, show_values: bool
) -> None:
    match plan_format:
        case PlanFormat.TEXT:
            show_plan(plan, show_values=show_values)
        case PlanFormat.JSON:
            from reverse_etl.cli.output.json import plan_document

            show.print_json(plan_document(plan, findings.refusals, show_values=show_values))
        case PlanFormat.MARKDOWN:
            from reverse_etl.cli.output.plan_markdown import print_plan_markdown

            made_at = format_epoch_seconds(project.clock.now())
            print_plan_markdown(plan, project.target, made_at, findings.sentences, show_values=show_values)
        case PlanFormat.CSV:
            from reverse_etl.cli.output.plan_csv import plan_notes, print_plan_csv

            print_plan_csv(plan, show_values=show_values)
            for note in plan_notes(plan, show_values=show_values):
                terminal.info(f"Note: {note}")


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


def find_doubts(project: Project, plan: Plan) -> Iterator[str]:
    """Yield why the run may differ from its plan."""
    if not plan.lists_looked_up:
        sandbox = project.target.destination.sandbox
        reason = "the sandbox starts with the first run" if sandbox else "there is no key"
        yield f"Lists were not looked up: {reason}. Lists without an earlier run are assumed to be new."
    if plan.unfinished_runs:
        runs_text = format_count(plan.unfinished_runs, "earlier run")
        yield (
            f"{runs_text} did not finish. The next run settles them first, and may then send less than "
            "this plan."
        )


def _find_list_warnings(project: Project, plan: Plan) -> Iterator[str]:
    """Yield that a run may create no list, if the plan has lists that Klaviyo was not asked for."""
    destination = project.target.destination
    may_stop = not (plan.lists_looked_up or destination.sandbox or destination.create_lists)
    if may_stop and plan.new_list_names:
        names = ", ".join(map(repr, plan.new_list_names))
        yield (
            f"create_lists is false: a run stops if Klaviyo does not have the lists {names}. "
            "With a key, plan looks them up."
        )
