"""`reverse-etl run`: send what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reverse_etl.alerts.watch import WatchedModels, watch_run
from reverse_etl.cli.commands.plan import PlanFormat, PlanView, plan_and_print
from reverse_etl.cli.options import LEASE_TIMEOUT, STRICT, ProjectFlags, request_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.json import result_document
from reverse_etl.cli.output.plan import added_again_text, comparison_text
from reverse_etl.cli.output.result import follow_up_lines, show_result
from reverse_etl.cli.plan_options import PlanFlags, plan_options
from reverse_etl.cli.signals import SignalHandler
from reverse_etl.errors import GuardRefused

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from reverse_etl.alerts.watch import RunWatch
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.project import Project

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show the plan and send nothing, as `plan` does.")


@click.command("run")
@request_options
@plan_options(_DRY_RUN, STRICT, LEASE_TIMEOUT)
def command(
    project_flags: ProjectFlags, plan_flags: PlanFlags, *, dry_run: bool, strict: bool, lease_timeout: int
) -> int:
    """Send what changed, and confirm the outcome of every row.

    It is safe to interrupt a run at any moment and start it again.
    """
    if dry_run and (strict or lease_timeout):
        raise click.UsageError("--strict and --lease-timeout are for a run: remove them, or --dry-run.")
    if plan_flags.show_values and not dry_run:
        raise click.UsageError("--show-values needs --dry-run: a run prints no rows.")
    if plan_flags.new_profiles is not None and not dry_run:
        raise click.UsageError("--new-profiles needs --dry-run: a run looks up nobody to forecast profiles.")
    project = project_flags.load()
    if dry_run:
        view = PlanView(PlanFormat.JSON if plan_flags.as_json else PlanFormat.TEXT)
        plan_and_print(project, plan_flags, view)
        return 0
    return _run_and_print(project, plan_flags, strict=strict, lease_timeout=lease_timeout)


def _run_and_print(project: Project, plan_flags: PlanFlags, *, strict: bool, lease_timeout: int) -> int:
    models = project.require_selection(plan_flags.select, plan_flags.exclude, plan_flags.options)
    project = replace(project, is_interrupted=is_interrupted)
    with terminal.progress_bars(), watched_run(project, models) as watch:
        result = project.run(
            plan_flags.select,
            plan_flags.exclude,
            options=plan_flags.options,
            strict=strict,
            gate=plan_flags.gate,
            lease_timeout=lease_timeout * 60.0,
            on_progress=terminal.print_progress,
            on_request=terminal.print_request,
        )
        watch.record_result(result, strict=strict)
    return print_run(result, as_json=plan_flags.as_json)


def watched_run(project: Project, selected: Collection[str]) -> AbstractContextManager[RunWatch]:
    """Return the context that reports how a run of models ends to the receivers of the destination."""
    models = WatchedModels(selected, project.project_models.known_names)
    return watch_run(project.target, models, terminal.warn, is_interrupted)


def is_interrupted() -> bool:
    """Return whether a signal asked the process to end."""
    signals = click.get_current_context().find_object(SignalHandler)
    return bool(signals and signals.signal_received)


def print_run(result: RunResult, *, as_json: bool) -> int:
    """Print what a run did and what needs attention; returns the exit code."""
    if as_json:
        show.print_json(result_document(result))
    else:
        show_result(result)
    print_follow_up(result)
    return result.exit_code


def print_follow_up(result: RunResult) -> None:
    """Print what the gate and guards stopped, notes, and a line for each kind of row to look at."""
    if problems := result.plan.collect_stops(result.gate_problems):
        terminal.print_problems(problems, GuardRefused.exit_code)
    for model_plan in result.plan.models:
        if model_plan.comparison:
            terminal.info(f"{model_plan.model.name}: {comparison_text(model_plan.comparison)}")
    for note in result.plan.new_notes:
        terminal.info(f"Note: {note}")
    for list_result in result.lists:
        if not list_result.stop_reason and (again := added_again_text(list_result.list_plan)):
            terminal.info(f"Note: {list_result.list_plan.list_ref.label}, by {list_result.model}: {again}")
    for line in follow_up_lines(result):
        terminal.info(line)
