"""`reverse-etl reconcile`: compare lists in Klaviyo with the rows that were applied."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.drift import differences_document, show_differences
from reverse_etl.formatting import format_count

_RESEND_OPTION = click.option(
    "--resend", is_flag=True, help="Make the next run send missing rows again. Nothing is sent now."
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
    resend: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Compare lists in Klaviyo with the rows that were applied.

    Reads all members, with GETs only. Missing rows were applied but are no longer members, for example
    because somebody removed them by hand. Other members have no row in the model: they joined before the
    first run, or somebody else added them. They are reported but don't affect the exit code.

    Exits with 1 if rows are missing (unless they will be sent again), if a member is still there whose
    removal found nobody, or if a list no longer exists in Klaviyo.
    """
    project = project_flags.load()
    with terminal.progress_bars():
        differences = project.reconcile(
            select, exclude, resend=resend, on_event=terminal.print_event, on_request=terminal.print_request
        )
    if as_json:
        show.print_json(differences_document(differences, show_values=show_values))
    elif differences:
        show_differences(differences, show_values=show_values)
    else:
        show.print_line("No list to compare: these models have not sent to any list.")
    missing = sum(difference.missing for difference in differences)
    if missing and resend:
        terminal.info(
            f"The next run sends {format_count(missing, 'missing row')} again if the model still returns "
            "them."
        )
    elif missing:
        terminal.info("To send missing rows again in the next run: reverse-etl reconcile --resend")
    if any(difference.unmanaged for difference in differences):
        terminal.info("To let a model remove the other members: reverse-etl adopt --select MODEL")
    unresolved = [
        difference
        for difference in differences
        if difference.removals_not_found or difference.deleted or (difference.missing and not resend)
    ]
    return int(bool(unresolved))
