"""`reverse-etl report`: one run as a page that can be sent around."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.files import put
from reverse_etl.formatting import shown
from reverse_etl.report.document import document
from reverse_etl.report.masking import hide
from reverse_etl.report.page import page

FILE: Final = "report.html"
_STDOUT: Final = Path("-")


@click.command("report")
@of_project
@click.argument("run_id", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help=f"The file, - for stdout; default: {FILE} beside run_results.json.",
)
@SHOW_VALUES
@AS_JSON
def command(asked: Asked, run_id: str | None, *, out: Path | None, show_values: bool, as_json: bool) -> None:
    """Write a page about a run: by default the newest.

    One HTML file that needs nothing else: what the run did to each list, what proves it, what was rejected,
    and the runs before it, as the state remembers them. Klaviyo is not asked, and no key is needed. Prints
    where the page is. RUN_ID is the run_id of `run --json` and `status --json`; every page names it.
    """
    if as_json and out is not None:
        raise click.UsageError("--json prints on stdout and writes no file: leave out --out.")
    project = asked.load()
    report = project.report(run_id)
    if not show_values:
        report = hide(report)
    if as_json:
        show.json_out(document(report))
    elif out == _STDOUT:
        show.line(page(report).rstrip("\n"))
    else:
        path = out or project.artifacts / FILE
        put(path, page(report).encode())
        show.line(shown(path))
