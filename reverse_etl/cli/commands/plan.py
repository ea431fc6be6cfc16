"""`reverse-etl plan`: what a run would do."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import PlanFlags, ProjectFlags, plan_options, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.json import plan_document
from reverse_etl.cli.output.plan import show_plan
from reverse_etl.dbt.gate import warning_text
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import GuardRefused
from reverse_etl.files import write_atomically
from reverse_etl.formatting import format_count
from reverse_etl.planning.guards import check_guards
from reverse_etl.planning.planner import require_known_models
from reverse_etl.planning.saved_plan import SavedPlan

if TYPE_CHECKING:
    from reverse_etl.planning.plan import Plan
    from reverse_etl.project import Project


_OUT_OPTION = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan to a file, for `apply`."
)


@click.command("plan")
@project_options
@plan_options(_OUT_OPTION)
def command(project_flags: ProjectFlags, plan_flags: PlanFlags, *, out: Path | None) -> None:
    """Show what a run would send, and send nothing.

    Changes no table, and no file but the one asked for. Works without a key: then lists are not looked up.
    Exits 3 where a guard or the gate behind dbt would refuse the run, and 2 where dbt's results are missing.
    """
    if out == Path("-"):
        raise click.UsageError("A plan is saved in a file: name one.")
    project = project_flags.load()
    if out is None:
        plan_and_print(project, plan_flags)
        return
    try:
        plan = plan_and_print(project, plan_flags, with_digest=True)
    except GuardRefused:
        terminal.warn(f"The plan is not saved in {out}, since a run of it would be refused.")
        raise
    _save_plan(project, plan, project_flags, plan_flags, out)


def plan_and_print(project: Project, plan_flags: PlanFlags, *, with_digest: bool = False) -> Plan:
    """Draw a plan and print it. Raises GuardRefused, after printing, where a run would be refused."""
    require_known_models(plan_flags.allow_removes, project.models, "--allow-removes")
    options = replace(plan_flags.options, with_digest=with_digest)
    plan = project.plan(
        plan_flags.select,
        plan_flags.exclude,
        options=options,
        on_event=terminal.print_event,
        on_request=terminal.print_request,
    )
    if plan_flags.as_json:
        show.print_json(plan_document(plan, show_values=plan_flags.show_values))
    else:
        show_plan(plan, show_values=plan_flags.show_values)
    warn_unverified_plan(project, plan)
    verdict = project.check_gate([model_plan.model for model_plan in plan.models], plan_flags.gate)
    for warning in verdict.warnings:
        terminal.warn(warning_text(warning))
    if problems := (*verdict.refusals, *check_guards(plan.models, plan_flags.allow_removes)):
        raise GuardRefused(*problems)
    return plan


def _save_plan(
    project: Project, plan: Plan, project_flags: ProjectFlags, plan_flags: PlanFlags, out: Path
) -> None:
    """Write a plan to a file. Raises UsageError where nobody knows which lists it would be applied to."""
    if not plan.lists_looked_up:
        project.target.destination.require_key()  # a sandbox that has not begun has one, and no list yet
    saved_plan = SavedPlan.from_plan(
        plan,
        project.target,
        options=plan_flags.options,
        made_at=format_epoch_seconds(project.clock.now()),
        vars=project_flags.vars,
        allow_removes=plan_flags.allow_removes,
        gate=plan_flags.gate.mode,
    )
    write_atomically(out, saved_plan.to_bytes())
    terminal.info(f"Saved. To carry out just this, or nothing: reverse-etl apply {shlex.quote(str(out))}")


def warn_unverified_plan(project: Project, plan: Plan) -> None:
    """Say why the run may come to something else than its plan."""
    if not plan.lists_looked_up:
        sandbox = project.target.destination.sandbox
        reason = "the sandbox starts with the first run" if sandbox else "there is no key"
        terminal.info(f"Lists were not looked up: {reason}. A list that was never sent to counts as new.")
    if plan.unsettled_runs:
        runs_text = format_count(plan.unsettled_runs, "earlier run")
        terminal.info(
            f"{runs_text} did not end; the next run settles that first, and may then have less to send."
        )
