"""`reverse-etl retry`: let rows that Klaviyo refused be sent again."""

from __future__ import annotations

import click

from reverse_etl.cli.options import Asked, of_models, of_project
from reverse_etl.cli.talk import talk


@click.command("retry")
@of_project
@of_models
def command(asked: Asked, select: tuple[str, ...], exclude: tuple[str, ...]) -> None:
    """End the standing rejections of Klaviyo's, so that the next run sends their rows again.

    For when the fault was at Klaviyo's side and no row changed. Rows that the warehouse's own checks reject are checked anew in
    every run, and need no retry.
    """
    project = asked.load()
    for model, rows in project.retry(select, exclude).items():
        talk.say(
            f"{model}: {rows:,} rows will be sent again by the next run"
            if rows
            else f"{model}: nothing stands rejected by Klaviyo"
        )
