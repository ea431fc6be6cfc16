"""`reverse-etl history`: the runs, and what each did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from reverse_etl.cli.completions import complete_models
from reverse_etl.cli.options import AS_JSON, ProjectFlags, state_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.history import describe_failures, history_document, list_rows, run_rows
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.report.facts import ReportedRun

_RUNS: Final = 20


@click.command("history")
@state_options
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    shell_complete=complete_models,
    help="Show each list of this model. Repeatable.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_RUNS,
    show_default=True,
    help="Show the newest N runs, with --model those that included it.",
)
@AS_JSON
def command(
    project_flags: ProjectFlags,
    models: tuple[str, ...],
    limit: int,
    as_json: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """Show the runs and what each did, newest first.

    Reads the state alone and does not ask Klaviyo. To see one run in full: reverse-etl report RUN_ID
    """
    all_runs = project_flags.load().history()
    runs = _select_models(all_runs, models) if models else all_runs
    newest_runs = runs[:limit]
    if as_json:
        show.print_json(history_document(newest_runs, run_count=len(runs)))
    elif not runs and all_runs:
        show.print_line(f"No recorded run included {' or '.join(models)}. To see the models: reverse-etl ls")
    elif not runs:
        show.print_line("No run is recorded yet. To see what a run would send: reverse-etl plan")
    else:
        table = list_rows(newest_runs) if models else run_rows(newest_runs)
        show.print_table(table.headings, table.rows, text_columns=table.text_columns)
        for line in describe_failures(newest_runs):
            show.print_line(line)
        if len(newest_runs) < len(runs):
            earlier = format_count(len(runs) - len(newest_runs), "earlier run")
            show.print_line(f"… and {earlier}: --limit {len(runs)}")


def _select_models(runs: Sequence[ReportedRun], models: Sequence[str]) -> tuple[ReportedRun, ...]:
    """Return the runs that included one of the models, with its lists alone."""
    narrowed = (
        replace(run, lists=tuple(summary for summary in run.lists if summary.label.model in models))
        for run in runs
    )
    return tuple(run for run in narrowed if run.lists)
