"""`reverse-etl report`: one run as a self-contained HTML page."""

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
    help=f"File to write, or - for stdout. [default: {DEFAULT_FILE} beside run_results.json]",
)
@SHOW_VALUES
@AS_JSON
def command(
    project_flags: ProjectFlags, run_id: str | None, *, out: Path | None, show_values: bool, as_json: bool
) -> None:
    """Write an HTML page about a run, by default the latest.

    The page is one self-contained file: what the run did to each list, the proof, the rejected rows, and the
    earlier runs. It is made from the state alone, without Klaviyo or a key. Prints the path of the page.
    RUN_ID is the run_id that `run --json`, `status --json` and every page show.
    """
    if as_json and out is not None:
        raise click.UsageError("--json prints to stdout and writes no file: remove --out.")
    project = project_flags.load()
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
