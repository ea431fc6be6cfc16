"""`reverse-etl demo`: the main job on a made-up shop, from start to end."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import click

from reverse_etl.cli import show
from reverse_etl.cli.talk import talk
from reverse_etl.places import shown
from reverse_etl.plan import Plan
from reverse_etl.project import SANDBOX_FILE, Project
from reverse_etl.run import RunResult

SHOWN = "VIP customers"  # the list whose sample is shown; `plan` shows every list's


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="Where its files go.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    default="models",
    show_default=True,
    help="The models to show.",
)
def command(folder: Path, models: Path) -> None:
    """Run the main job on a made-up shop: its warehouse in a DuckDB file, a Klaviyo sandbox, three days.

    Ends in a table of lists that is read back from the sandbox. Sends nothing to Klaviyo.
    """
    from reverse_etl.demo.show import Stage, play, prepare  # noqa: PLC0415 - the sandbox's web framework comes with it

    prepare(folder, models)
    at = f" --project-dir {folder}"

    def plan(plan: Plan) -> None:
        click.secho(f"\n$ reverse-etl plan{at}", bold=True)
        show.plan_table(plan)
        for model, one in plan.lists():
            if one.list.name == SHOWN:
                show.list_details(model, one, show_values=False)

    def result(result: RunResult) -> None:
        click.secho(f"\n$ reverse-etl run{at}", bold=True)
        show.result(result)

    with talk.progress():
        lines = play(folder, Stage(_heading, plan, result), lambda: _load(folder))
    _heading("The lists, as the sandbox has them now:")
    show.table(
        ("list", "before", "added", "updated", "removed", "rejected", "now"),
        [astuple(line) for line in lines],
    )
    click.echo(
        f"\nFiles: {shown(folder)}/models, profiles.yml, shop.duckdb (the warehouse), shop.reverse_etl.duckdb (the state), {SANDBOX_FILE}\n"
        f"Try:   reverse-etl status{at}\n"
        f"       reverse-etl sandbox --file {shown(folder / SANDBOX_FILE)}     then open it in a browser\n"
        f"       change a model in {shown(folder)}/models, then reverse-etl plan{at}"
    )


def _heading(text: str) -> None:
    click.secho(f"\n{text}", fg="cyan", bold=True)


def _load(folder: Path) -> Project:
    return Project.load(folder, environ={})
