"""`reverse-etl reconcile`: compare what Klaviyo shows with the rows that were applied."""

from __future__ import annotations

import click

from reverse_etl.cli.options import ListFlags, ProjectFlags, list_options, request_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.drift import format_resent, show_differences

_RESEND_OPTION = click.option(
    "--resend", is_flag=True, help="Make the next run send missing rows again. Nothing is sent now."
)


@click.command("reconcile")
@request_options
@list_options(_RESEND_OPTION)
def command(project_flags: ProjectFlags, list_flags: ListFlags, *, resend: bool) -> int:
    """Compare what Klaviyo shows with the rows that were applied.

    Reads, with GETs only, all members of lists, all suppressed people, and the consent of the rows' people.
    Missing rows were applied, but Klaviyo no longer shows it, for example because somebody removed a member
    by hand. Unmanaged people have no row in the model: they joined before the first run, or somebody else
    added them. A row has several members if Klaviyo has several profiles of its person. People who opted out
    since are not missing, and are not sent again. Unmanaged people and opt-outs are reported but don't affect
    the exit code.

    Exits with 1 if rows are missing (unless they will be sent again) or have several members, if a member is
    still there whose removal found nobody, or if a list no longer exists in Klaviyo.
    """
    project = project_flags.load()
    with terminal.progress_bars():
        differences = project.reconcile(
            list_flags.select,
            list_flags.exclude,
            resend=resend,
            on_progress=terminal.print_progress,
            on_request=terminal.print_request,
        )
    if differences or list_flags.as_json:
        show_differences(differences, list_flags)
    else:
        show.print_line("Nothing to compare: these models have sent nothing that can be read back.")
    missing = sum(difference.missing for difference in differences)
    if missing and resend:
        terminal.info(format_resent(missing))
    elif missing:
        models = " ".join(sorted({difference.model for difference in differences if difference.missing}))
        terminal.info(
            f"To send missing rows again in the next run: reverse-etl reconcile --resend --select {models}"
        )
    if any(difference.unmanaged_sample for difference in differences):
        terminal.info("To let a model remove the other members: reverse-etl adopt --select MODEL")
    unresolved = [
        difference
        for difference in differences
        if difference.removals_not_found
        or difference.several_members
        or difference.deleted
        or (difference.missing and not resend)
    ]
    return int(bool(unresolved))
