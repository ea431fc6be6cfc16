"""`reverse-etl reconcile`: read lists back, and say how they differ from what was applied to them."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.drift import differences_document, show_differences
from reverse_etl.formatting import format_count

_RESEND_OPTION = click.option(
    "--mend", is_flag=True, help="Let the next run send again what is missing; nothing is sent now."
)


@click.command("reconcile")
@project_options
@selection_options
@_RESEND_OPTION
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - a flag each
    project_flags: ProjectFlags,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    *,
    mend: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Read lists back, and say who is missing or too many.

    Compares with what was applied to them; sends only GETs. Whoever was taken off by hand is missing; whoever
    is on a list for no row of its model was there before this job, or was put there by somebody else. Exits 1
    where somebody is missing and is not mended, is there though a removal found nobody, or where a list is
    gone from Klaviyo. Members of no row are told, and do not count.
    """
    project = project_flags.load()
    with terminal.progress_bars():
        differences = project.reconcile(
            select, exclude, resend=mend, on_event=terminal.print_event, on_request=terminal.print_request
        )
    if as_json:
        show.print_json(differences_document(differences, show_values=show_values))
    elif differences:
        show_differences(differences, show_values=show_values)
    else:
        show.print_line("There is no list to read back: these models sent to none.")
    missing = sum(difference.missing for difference in differences)
    if missing and mend:
        terminal.info(
            f"The next run sends {format_count(missing, 'row')} again, of those that are still desired."
        )
    elif missing:
        terminal.info("To let the next run send again what is missing: reverse-etl reconcile --mend")
    if any(difference.others for difference in differences):
        terminal.info("To let models decide of members of no row: reverse-etl adopt --select MODEL")
    unresolved = [
        difference
        for difference in differences
        if difference.given_up or difference.deleted or (difference.missing and not mend)
    ]
    return int(bool(unresolved))
