"""`reverse-etl demo`: the main job on a made-up shop, from start to end."""

from __future__ import annotations

import shutil
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.commands.plan import say_what_is_not_known
from reverse_etl.cli.commands.run import say_what_to_look_at
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.plan import list_details, plan_table
from reverse_etl.cli.output.result import show_result
from reverse_etl.config.profiles import FILE
from reverse_etl.connections import SANDBOX_FILE
from reverse_etl.formatting import shown
from reverse_etl.project import Project

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult

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
    """Run the main job on a made-up shop.

    Makes its warehouse in a DuckDB file, plays two days of it against a Klaviyo sandbox, and ends in a
    table of lists that is read back from the sandbox. Sends nothing to Klaviyo.
    """
    from reverse_etl.demo.show import Stage, play, prepare  # noqa: PLC0415 - brings the sandbox's web framework

    prepare(folder, models)
    lines = play(
        folder, Stage(_heading, _plan, _run), lambda: Project.load(folder, profiles_dir=folder, environ={})
    )
    _heading("The lists, as the sandbox has them now:")
    headings = ("list", "before", "added", "updated", "removed", "rejected", "now")
    show.table(headings, [astuple(line) for line in lines])
    where, at, program = shown(folder), _at(folder), _program()
    show.line(
        f"\nFiles: {where}/models, profiles.yml, shop.duckdb (the warehouse), "
        f"shop.reverse_etl.duckdb (the state), {SANDBOX_FILE},\n"
        "       target (a record of the last run)\n"
        f"Try:   {program} status{at}\n"
        f"       {program} sandbox --file {shown(folder / SANDBOX_FILE)}     then open it in a browser\n"
        f"       change a model in {where}/models, then {program} plan{at}"
    )


def _plan(project: Project) -> None:
    _command(f"plan{_at(project.folder)}")
    plan = project.plan()
    plan_table(plan)
    for model, one in plan.lists():
        if one.list.name == SHOWN:
            list_details(model, one, show_values=False)
    say_what_is_not_known(project, plan)


def _run(project: Project) -> RunResult:
    _command(f"run{_at(project.folder)}")
    with talk.progress():
        result = project.run(tell=talk.bar)
    show_result(result)
    say_what_to_look_at(result)
    return result


def _at(folder: Path) -> str:
    """Return the flags that find the demo's project from here: a profiles.yml that lies here comes first."""
    found_first = f" --profiles-dir {folder}" if Path(FILE).exists() else ""
    return f" --project-dir {folder}{found_first}"


def _program() -> str:
    """Return how this program is called from here: by its name where the shell finds it, else by its path."""
    return "reverse-etl" if shutil.which("reverse-etl") else shown(Path(sys.argv[0]))


def _command(text: str) -> None:
    click.secho(f"\n$ reverse-etl {text}", bold=True)


def _heading(text: str) -> None:
    click.secho(f"\n{text}", fg="cyan", bold=True)
