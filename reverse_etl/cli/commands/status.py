"""`reverse-etl status`: where each list stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.status import status_document
from reverse_etl.domain.identifiers import mask, split_identity
from reverse_etl.domain.rejections import by_klaviyo, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.report.status import ListStatus, Reason, Status


@click.command("status")
@of_project
@of_models
@SHOW_VALUES
@AS_JSON
def command(
    asked: Asked, select: tuple[str, ...], exclude: tuple[str, ...], *, show_values: bool, as_json: bool
) -> None:
    """Show where each list stands.

    Rows applied, rejected, held and unsettled, and the last run, as the state remembers them: Klaviyo is not
    asked.
    """
    status = asked.load().status(select, exclude)
    if as_json:
        show.json_out(status_document(status, show_values=show_values))
    elif not status.lists:
        show.line("Nothing was sent yet. See what would be: reverse-etl plan")
    else:
        _show(status, show_values=show_values)
    if not as_json:
        for reason in status.refused:
            show.line(f"\nThe run {status.runs[0].run_id} was refused, and sent nothing: {reason}")
        for note in status.notes:
            show.line(f"\nNote: {note}")


def _show(status: Status, *, show_values: bool) -> None:
    """Print a line per list; then why rows are rejected and lists stopped, and what is left alone or open."""
    headings = ("list", "model", "last run (UTC)", "state", "applied", "rejected", "held", "unsettled")
    ends = {run.run_id: run.state for run in status.runs}
    show.table(headings, [_cells(one, ends) for one in status.lists], words=4)
    for one in status.lists:
        for reason in one.reasons:
            show.line(
                f"{_name(one)}: {reason.rows:,} rejected: {_reason(reason)}{_example(reason, show_values)}"
            )
    for one in status.lists:
        if one.last and one.last.reason:
            show.line(f"{one.list_name or one.model} stopped: {one.last.reason}")
    for one in status.lists:
        if one.note:
            show.line(f"\nNote: {one.note}")
    newest = status.runs[0] if status.runs else None
    if newest and newest.state in {"submitting", "unsettled"}:
        show.line(f"\nThe run {newest.run_id} left rows open; the next run settles them first.")


def _cells(one: ListStatus, ends: Mapping[str, str]) -> tuple[str | int, ...]:
    when = state = ""
    if one.last:
        when = one.last.started[:16].replace("T", " ")
        state = "stopped" if one.last.reason else ends.get(one.last.run_id, "")
    return (_name(one), one.model, when, state, one.applied, one.rejected, one.held, one.unsettled)


def _name(one: ListStatus) -> str:
    return one.list_name or "(profiles)"


def _example(reason: Reason, show_values: bool) -> str:  # noqa: FBT001 - one caller, above
    if not reason.example:
        return ""
    who = split_identity(reason.example)[1] if show_values else mask(reason.example)
    return f", such as {who}" if reason.rows > 1 else f": {who}"


def _reason(reason: Reason) -> str:
    why = told(reason.source, reason.code, reason.field, reason.detail)
    again = " (reverse-etl retry sends them again)" if by_klaviyo(reason.source, reason.code) else ""
    return f"{why}{again}"
