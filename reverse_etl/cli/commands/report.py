"""`reverse-etl report`: one run as a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, ProjectFlags, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.errors import UsageError
from reverse_etl.files import write_atomically
from reverse_etl.formatting import format_path
from reverse_etl.report.document import report_document
from reverse_etl.report.masking import mask_report, mask_run
from reverse_etl.report.page import render_page
from reverse_etl.report.site import INDEX, is_own_index, render_site

if TYPE_CHECKING:
    from reverse_etl.project import Project

DEFAULT_FILE: Final = "report.html"
_STDOUT: Final = Path("-")
_PAGES: Final = 90  # runs that get a page: a quarter of a year of nights


@click.command("report")
@project_options
@click.argument("run_id", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help=f"File to write, or - for stdout. [default: {DEFAULT_FILE} beside run_results.json]",
)
@click.option(
    "--all",
    "site",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a static site instead: an index of all runs, and pages of each list and of the newest runs.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help=f"With --all: the number of runs that get a page. [default: {_PAGES}]",
)
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - click passes options by name
    project_flags: ProjectFlags,
    run_id: str | None,
    *,
    out: Path | None,
    site: Path | None,
    limit: int | None,
    show_values: bool,
    as_json: bool,
) -> None:
    """Write an HTML page about a run, by default the latest.

    The page is one self-contained file: what the run did to each list, the proof, the rejected rows, and the
    earlier runs. It is made from the state alone, without Klaviyo or a key. Prints the path of the page.
    RUN_ID is the first column of `history`; `run --json` and every page show it, too.
    """
    if as_json and out is not None:
        raise click.UsageError("--json prints to stdout and writes no file: remove --out.")
    if site is not None and (as_json or out is not None or run_id is not None):
        raise click.UsageError("--all writes a site of all runs: remove RUN_ID, --out and --json.")
    if limit is not None and site is None:
        raise click.UsageError("--limit is for --all.")
    project = project_flags.load()
    if site is not None:
        _write_site(project, site, limit or _PAGES, show_values=show_values)
        return
    report = project.report(run_id)
    if not show_values:
        report = mask_report(report)
    if as_json:
        show.print_json(report_document(report))
    elif out == _STDOUT:
        show.print_text(render_page(report).rstrip("\n"))
    else:
        path = out or project.artifacts_folder / DEFAULT_FILE
        write_atomically(path, render_page(report).encode())
        show.print_line(format_path(path))


def _write_site(project: Project, folder: Path, pages: int, *, show_values: bool) -> None:
    """Write the files of the site and print the path of its index.

    Raises UsageError for a folder whose index is of something else, such as dbt's documentation.
    """
    index = folder / INDEX
    if index.exists() and not is_own_index(index.read_bytes()):
        raise UsageError.of(
            f"{format_path(index)} is not an index of runs, and would be replaced.",
            where="report --all",
            hint="Name another folder.",
        )
    reports, runs = project.reports(pages), project.history()
    if not show_values:
        reports, runs = tuple(map(mask_report, reports)), tuple(map(mask_run, runs))
    for name, page in render_site(reports, runs):
        write_atomically(folder / name, page.encode())
    show.print_line(format_path(index))
