"""`reverse-etl retry`: send rows that Klaviyo refused again in the next run."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.formatting import format_count


@click.command("retry")
@project_options
@selection_options
@click.option(
    "--unknown",
    is_flag=True,
    help="Also send rows with an unknown outcome again, of requests that must not be repeated.",
)
@AS_JSON
def command(
    project_flags: ProjectFlags,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    *,
    unknown: bool,
    as_json: bool,
) -> None:
    """Let the next run send refused rows again.

    Use it after the cause is fixed in Klaviyo. Otherwise a refused row is sent again only when the row, its
    model or its config changes. Rows rejected by a check are checked in every run and need no retry.
    """
    project = project_flags.load()
    retried_rows = project.retry(select, exclude, unknown=unknown, on_progress=terminal.print_progress)
    if as_json:
        show.print_json(retried_rows)
        return
    for model, rows in retried_rows.items():
        message = (
            f"the next run sends {format_count(rows, 'row')} again"
            if rows
            else f"no {'unknown' if unknown else 'refused'} rows to retry"
        )
        show.print_line(f"{model}: {message}")
