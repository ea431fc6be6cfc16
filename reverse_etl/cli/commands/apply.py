"""`reverse-etl apply`: run exactly what a saved plan says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reverse_etl.cli.commands.run import is_interrupted, print_run, watched_run
from reverse_etl.cli.options import AS_JSON, LEASE_TIMEOUT, NO_VARS, STRICT, ProjectFlags, request_options
from reverse_etl.cli.output.console import terminal
from reverse_etl.errors import UsageError
from reverse_etl.planning.saved_plan import SavedPlan


@click.command("apply")
@click.argument("file", metavar="PLAN", type=click.Path(path_type=Path))
@request_options
@STRICT
@LEASE_TIMEOUT
@AS_JSON
def command(
    project_flags: ProjectFlags, file: Path, *, strict: bool, lease_timeout: int, as_json: bool
) -> int:
    """Run exactly what a saved plan says, or nothing.

    PLAN is a file that `plan --out` saved.

    If models, rows or values have changed since, it sends nothing, prints what changed and exits with 3. The
    file contains the profile, target, variables and options of the plan.
    """
    saved_plan = _read_saved_plan(file)
    if project_flags.vars not in {NO_VARS, saved_plan.vars}:
        raise UsageError.of(
            f"The plan was made with --vars {saved_plan.vars!r}.",
            where="--vars",
            hint="Remove --vars, since apply takes them from the plan, or save a new plan with these "
            "variables.",
        )
    project = replace(
        project_flags,
        profile=project_flags.profile or saved_plan.profile,
        target=project_flags.target or saved_plan.target,
        vars=saved_plan.vars,
    ).load()
    terminal.info(f"Plan: {saved_plan.summary}.")
    project = replace(project, is_interrupted=is_interrupted)
    with terminal.progress_bars(), watched_run(project, saved_plan.model_names) as watch:
        result = project.apply(
            saved_plan,
            strict=strict,
            lease_timeout=lease_timeout * 60.0,
            on_progress=terminal.print_progress,
            on_request=terminal.print_request,
        )
        watch.record_result(result, strict=strict)
    return print_run(result, as_json=as_json)


def _read_saved_plan(file: Path) -> SavedPlan:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError.of(
            f"The plan can't be read: {error.strerror}.",
            where=str(file),
            hint="Save a plan first: reverse-etl plan --out FILE",
        ) from error
    return SavedPlan.from_bytes(content, str(file))
