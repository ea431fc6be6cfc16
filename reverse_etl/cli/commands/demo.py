"""`reverse-etl demo`: the main job on a made-up shop, from start to end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.commands.plan import find_doubts
from reverse_etl.cli.commands.run import print_follow_up
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.plan import show_list_details, show_plan_table
from reverse_etl.cli.output.result import show_result
from reverse_etl.config.profiles import PROFILES_FILE
from reverse_etl.connections import SANDBOX_FILE
from reverse_etl.formatting import format_path
from reverse_etl.project import Project

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.demo.show import DemoListSummary

SAMPLED_LIST = "VIP customers"  # the list whose sample is shown; `plan` shows every list's


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
    help="Folder for the demo's files.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    default="models",
    show_default=True,
    help="Folder of the models to run.",
)
def command(folder: Path, models: Path) -> None:
    """Run the models on a made-up shop, against a local sandbox.

    Creates a warehouse in a DuckDB file, plans and runs two days of the shop, and prints the lists as the
    sandbox has them at the end. Sends nothing to Klaviyo.
    """
    from reverse_etl.demo.show import DemoPresenter, play_days, prepare_project  # noqa: PLC0415 - brings the sandbox's web framework

    prepare_project(folder, models)
    summaries = play_days(
        folder,
        DemoPresenter(_print_heading, _show_plan, _run_and_show),
        lambda: Project.load(folder, profiles_dir=folder, environ={}),
    )
    _print_heading("Lists in the sandbox:")
    headings = ("list", "before", "added", "updated", "removed", "rejected", "now")
    show.print_table(headings, [_summary_cells(summary) for summary in summaries])
    shown_folder, project_flags, program = (
        format_path(folder),
        _format_project_flags(folder),
        _find_program_name(),
    )
    show.print_text(
        f"\nFiles: {shown_folder}/models, profiles.yml, shop.duckdb (the warehouse), "
        f"shop.reverse_etl.duckdb (the state), {SANDBOX_FILE},\n"
        "       target (artifacts of the last run)\n"
        f"Try:   {program} status{project_flags}\n"
        f"       {program} sandbox --file {format_path(folder / SANDBOX_FILE)}     then open it in a "
        "browser\n"
        f"       change a model in {shown_folder}/models, then {program} plan{project_flags}"
    )


def _show_plan(project: Project) -> None:
    _print_command(f"plan{_format_project_flags(project.folder)}")
    plan = project.plan()
    show_plan_table(plan)
    for model_plan, list_plan in plan.list_plans():
        if list_plan.list_ref.name == SAMPLED_LIST:
            show_list_details(model_plan, list_plan, show_values=False)
    for doubt in find_doubts(project, plan):
        terminal.info(doubt)


def _run_and_show(project: Project) -> RunResult:
    _print_command(f"run{_format_project_flags(project.folder)}")
    with terminal.progress_bars():
        result = project.run(on_progress=terminal.show_progress)
    show_result(result)
    print_follow_up(result)
    return result


def _format_project_flags(folder: Path) -> str:
    """Return the options that select the demo's project, even if the current folder has a profiles.yml."""
    profiles_flag = f" --profiles-dir {folder}" if Path(PROFILES_FILE).exists() else ""
    return f" --project-dir {folder}{profiles_flag}"


def _find_program_name() -> str:
    """Return the command's name if it is on the PATH, otherwise its path."""
    return "reverse-etl" if shutil.which("reverse-etl") else format_path(Path(sys.argv[0]))


def _print_command(text: str) -> None:
    show.print_line(f"\n$ reverse-etl {text}", bold=True)


def _print_heading(text: str) -> None:
    show.print_line(f"\n{text}", fg="cyan", bold=True)


def _summary_cells(summary: DemoListSummary) -> tuple[str | int, ...]:
    return (
        summary.name,
        summary.members_before,
        summary.added,
        summary.updated,
        summary.removed,
        summary.rejected,
        summary.members_now,
    )
