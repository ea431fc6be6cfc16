"""`reverse-etl report`: one run as a page that can be sent around."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, ProjectFlags, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.files import write_atomically
from reverse_etl.formatting import format_path
from reverse_etl.report.document import report_document
from reverse_etl.report.masking import mask_report
from reverse_etl.report.page import render_page

DEFAULT_FILE: Final = "report.html"
_STDOUT: Final = Path("-")


@click.command("report")
@project_options
@click.argument("run_id", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help=f"The file, - for stdout; default: {DEFAULT_FILE} beside run_results.json.",
)
@SHOW_VALUES
@AS_JSON
def command(
    project_flags: ProjectFlags, run_id: str | None, *, out: Path | None, show_values: bool, as_json: bool
) -> None:
    """Write a page about a run: by default the newest.

    One HTML file that needs nothing else: what the run did to each list, what proves it, what was rejected,
    and the runs before it, as the state remembers them. Klaviyo is not asked, and no key is needed. Prints
    where the page is. RUN_ID is the run_id of `run --json` and `status --json`; every page names it.
    """
    if as_json and out is not None:
        raise click.UsageError("--json prints on stdout and writes no file: leave out --out.")
    project = project_flags.load()
    report = project.report(run_id)
    if not show_values:
        report = mask_report(report)
    if as_json:
        show.print_json(report_document(report))
    elif out == _STDOUT:
        show.print_line(render_page(report).rstrip("\n"))
    else:
        path = out or project.artifacts_folder / DEFAULT_FILE
        write_atomically(path, render_page(report).encode())
        show.print_line(format_path(path))
