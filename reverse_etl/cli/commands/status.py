"""`reverse-etl status`: show the state of each list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from reverse_etl.cli.options import ListFlags, ProjectFlags, list_options, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.plan import describe_example
from reverse_etl.cli.output.rejected_rows import (
    print_rejected_csv,
    rejected_rows_document,
    show_rejected_rows,
)
from reverse_etl.cli.output.status import status_document
from reverse_etl.domain.rejections import OPTED_OUT
from reverse_etl.report.figures import HELD_MEANING
from reverse_etl.state import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.rejections import RejectedRows, RejectionReason
    from reverse_etl.report.status import ListStatus, Status
    from reverse_etl.state import RunList

_HEADINGS: Final = (
    "list",
    "model",
    "last run (UTC)",
    "state",
    "applied",
    "pending",
    "opted out",
    "rejected",
    "held",
    "uncertain",
)
_HIDDEN_IF_ZERO: Final = {"pending", "opted out"}
_REJECTED_OPTION = click.option("--rejected", is_flag=True, help="List the rejected rows, one by one.")
_HELD_OPTION = click.option(
    "--held",
    is_flag=True,
    help="List the held rows, one by one, and those sent without an identifier. Makes a plan.",
)
_FORMAT_OPTION = click.option(
    "--format", "format_", type=click.Choice(("table", "csv")), help="How to list them. [default: table]"
)


@click.command("status")
@project_options
@list_options(_REJECTED_OPTION, _HELD_OPTION, _FORMAT_OPTION)
def command(
    project_flags: ProjectFlags,
    list_flags: ListFlags,
    *,
    rejected: bool,
    held: bool,
    format_: str | None,
) -> None:
    """Show the rows and the last run of each list.

    Reads the state alone and does not ask Klaviyo: rows applied, rejected, held and uncertain. Only --held
    makes a plan.
    """
    if rejected and held:
        raise click.UsageError("Give --rejected or --held, not both.")
    if format_ and (not (rejected or held) or list_flags.as_json):
        raise click.UsageError("--format is for --rejected and --held, without --json.")
    if held:
        _show_held_rows(project_flags, list_flags, as_csv=format_ == "csv")
        return
    if rejected:
        _show_rejected_rows(project_flags, list_flags, as_csv=format_ == "csv")
        return
    status = project_flags.load().status(list_flags.select, list_flags.exclude)
    if list_flags.as_json:
        show.print_json(status_document(status, show_values=list_flags.show_values))
        return
    if status.lists:
        _show_status(status, show_values=list_flags.show_values)
    else:
        show.print_line("Nothing has been sent yet. To see what a run would send: reverse-etl plan")
    for sentence in status.describe_refusals():
        show.print_line(f"\n{sentence}")
    for note in status.notes:
        show.print_line(f"\nNote: {note}")


def _show_rejected_rows(project_flags: ProjectFlags, list_flags: ListFlags, *, as_csv: bool) -> None:
    rejections = project_flags.load().rejected_rows(list_flags.select, list_flags.exclude)
    if list_flags.as_json:
        show.print_json(rejected_rows_document(rejections, show_values=list_flags.show_values))
    elif as_csv:
        print_rejected_csv(rejections, show_values=list_flags.show_values)
    else:
        show_rejected_rows(rejections, show_values=list_flags.show_values)


def _show_held_rows(project_flags: ProjectFlags, list_flags: ListFlags, *, as_csv: bool) -> None:
    from reverse_etl.cli.output.held_rows import (  # noqa: PLC0415 - only this needs it
        held_rows_document,
        print_held_csv,
        show_held_rows,
    )

    project = project_flags.load()
    with project.held_rows(
        list_flags.select,
        list_flags.exclude,
        on_progress=terminal.print_progress,
        on_request=terminal.print_request,
    ) as held_rows:
        if list_flags.as_json:
            show.print_json(held_rows_document(held_rows, show_values=list_flags.show_values))
        elif as_csv:
            print_held_csv(held_rows, show_values=list_flags.show_values)
        else:
            show_held_rows(held_rows, show_values=list_flags.show_values)


def _show_status(status: Status, *, show_values: bool) -> None:
    """Print a line per list; then why rows are rejected and lists stopped, and the notes."""
    run_states = {run.run_id: run.state for run in status.runs}
    rows = [_row_cells(list_status, run_states) for list_status in status.lists]
    headings = [name for name in _HEADINGS if name not in _HIDDEN_IF_ZERO or any(row[name] for row in rows)]
    show.print_table(headings, [[row[name] for name in headings] for row in rows], text_columns=4)
    for list_status in status.lists:
        for rejected in list_status.rejections:
            show.print_line(
                f"{list_status.label}: {rejected.rows:,} {_rejection_word(rejected)}: "
                f"{_reason_text(rejected.reason)}{describe_example(rejected, show_values=show_values)}"
            )
        if list_status.held:
            show.print_line(
                f"{list_status.label}: {list_status.held:,} held: {HELD_MEANING}. "
                "To see which, and what to do: reverse-etl status --held"
            )
    for list_status in status.lists:
        if list_status.last_run and list_status.last_run.stop_cause:
            show.print_line(
                f"{list_status.list_name or list_status.model} stopped: {list_status.last_run.reason}"
            )
    for list_status in status.lists:
        if list_status.note:
            show.print_line(f"\nNote: {list_status.note}")
    newest = status.runs[0] if status.runs else None
    if status.interruption:
        show.print_line(
            f"\nRun {status.interruption.run_id} is still running or was interrupted. "
            f"{status.interruption.describe()} The next run first checks what this one sent, and continues "
            "from there. It is safe to run again."
        )
    elif newest and newest.state is RunState.UNSETTLED:
        show.print_line(f"\nRun {newest.run_id} left rows uncertain. The next run settles them first.")


def _row_cells(list_status: ListStatus, run_states: Mapping[str, str]) -> dict[str, str | int]:
    started = state = ""
    if list_status.last_run:
        started = list_status.last_run.started_at[:16].replace("T", " ")
        state = _describe_end(list_status.last_run, run_states)
    cells: tuple[str | int, ...] = (
        list_status.label,
        list_status.model,
        started,
        state,
        list_status.applied,
        list_status.pending,
        list_status.opted_out,
        list_status.rejected,
        list_status.held,
        list_status.uncertain,
    )
    return dict(zip(_HEADINGS, cells, strict=True))


def _describe_end(last_run: RunList, run_states: Mapping[str, str]) -> str:
    if last_run.stop_cause:
        return "stopped"
    return "skipped" if last_run.skipped else run_states.get(last_run.run_id, "")


def _rejection_word(rejected: RejectedRows) -> str:
    return "not subscribed" if rejected.reason.code == OPTED_OUT else "rejected"


def _reason_text(reason: RejectionReason) -> str:
    return reason.describe() + (" (reverse-etl retry sends them again)" if reason.is_by_klaviyo else "")
