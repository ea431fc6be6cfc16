"""`reverse-etl retry`: let rows that Klaviyo refused be sent again."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.formatting import format_count


@click.command("retry")
@project_options
@selection_options
@AS_JSON
def command(
    project_flags: ProjectFlags, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool
) -> None:
    """Let rows that Klaviyo refused be sent again.

    For when the fault was at Klaviyo's side and no row changed: a refused row is else not sent again before
    it, its model or its config changes. Rows that the warehouse's own checks reject are checked anew in every
    run, and need no retry.
    """
    retried_rows = project_flags.load().retry(select, exclude)
    if as_json:
        show.print_json(retried_rows)
        return
    for model, rows in retried_rows.items():
        message = (
            f"the next run sends {format_count(rows, 'row')} again"
            if rows
            else "Klaviyo refused no row that stands"
        )
        show.print_line(f"{model}: {message}")
