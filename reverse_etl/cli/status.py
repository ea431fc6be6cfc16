"""`reverse-etl status`: where each list stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from reverse_etl.cli import show
from reverse_etl.cli.options import AS_JSON, Asked, of_project
from reverse_etl.cli.show_plan import WHY
from reverse_etl.sql.staging import RowProblem

if TYPE_CHECKING:
    from reverse_etl.status import Reason


@click.command("status")
@of_project
@AS_JSON
def command(asked: Asked, *, as_json: bool) -> None:
    """Show where each list stands.

    Rows applied, rejected, held and unsettled, and the last run, as the state remembers them: Klaviyo is not
    asked.
    """
    status = asked.load().status()
    if as_json:
        show.json_out(asdict(status))
        return
    if not status.lists:
        show.line("Nothing was sent yet. See what would be: reverse-etl plan")
        return
    headings = ("list", "model", "last run", "state", "applied", "rejected", "held", "unsettled")
    ends = {run.run_id: run for run in status.runs}
    rows = []
    for one in status.lists:
        run = ends.get(one.last.run_id) if one.last else None
        stopped = "stopped" if one.last and one.last.reason else (run.state if run else "")
        when = one.last.started[:16].replace("T", " ") if one.last else ""
        rows.append(
            (
                one.list_name or "(profiles)",
                one.model,
                when,
                stopped,
                one.applied,
                one.rejected,
                one.held,
                one.unsettled,
            )
        )
    show.table(headings, rows, words=4)
    for one in status.lists:
        for reason in one.reasons:
            show.line(f"{one.list_name or '(profiles)'}: {reason.rows:,} rejected: {_reason(reason)}")
    for one in status.lists:
        if one.last and one.last.reason:
            show.line(f"{one.list_name or one.model} stopped: {one.last.reason}")
    newest = status.runs[0] if status.runs else None
    if newest and newest.state in {"submitting", "unsettled"}:
        show.line(f"\nThe run {newest.run_id} left rows open; the next run settles them first.")


def _reason(reason: Reason) -> str:
    if reason.source == "check":
        why = WHY[RowProblem(reason.code)]
        return f"{why}, in {reason.detail}" if reason.code == RowProblem.DUPLICATE else why
    what = f"{reason.code} at {reason.field}" if reason.field else reason.code
    return f"refused by Klaviyo: {what}: {reason.detail} (reverse-etl retry sends them again)"
