"""`reverse-etl retry`: let rows that Klaviyo refused be sent again."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.formatting import counted


@click.command("retry")
@of_project
@of_models
@AS_JSON
def command(asked: Asked, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool) -> None:
    """Let rows that Klaviyo refused be sent again.

    For when the fault was at Klaviyo's side and no row changed: a refused row is else not sent again before
    it, its model or its config changes. Rows that the warehouse's own checks reject are checked anew in every
    run, and need no retry.
    """
    ended = asked.load().retry(select, exclude)
    if as_json:
        show.json_out(ended)
        return
    for model, rows in ended.items():
        what = (
            f"the next run sends {counted(rows, 'row')} again"
            if rows
            else "Klaviyo refused no row that stands"
        )
        show.line(f"{model}: {what}")
