"""`reverse-etl state`: rename and forget models in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.state.model_changes import MovedRows


@click.group("state")
def command() -> None:
    """Rename or forget a model in the state.

    Use it after you renamed or deleted a model, or after a model got another list. It sends no requests and
    removes nobody from a list.
    """


@command.command("rename")
@project_options
@click.argument("old_name", metavar="OLD")
@click.argument("new_name", metavar="NEW")
@AS_JSON
def rename(project_flags: ProjectFlags, *, old_name: str, new_name: str, as_json: bool) -> None:
    """Let the model NEW continue as OLD.

    NEW gets the rows, lists and rejections of OLD, so that it sends only what changed and removes who left.
    Rename the model's file first. If NEW was sent already, it keeps its own rows, and the next run removes
    members of OLD that NEW does not return, within its guards.
    """
    moved = project_flags.load().rename_in_state(old_name, new_name, on_event=terminal.print_event)
    if as_json:
        show.print_json({"old": old_name, "new": new_name, "lists": _lists_document(moved)})
        return
    show.print_line(f"{new_name} continues {old_name}: {_describe_rows(moved)}")
    terminal.info(f"To see what the next run sends: reverse-etl plan --select {new_name}")


@command.command("forget")
@project_options
@click.argument("name", metavar="MODEL")
@click.option("--list", "list_id", metavar="LIST_ID", help="Forget only the model's rows on this list.")
@AS_JSON
def forget(project_flags: ProjectFlags, *, name: str, list_id: str | None, as_json: bool) -> None:
    """Delete the rows of a deleted model from the state.

    Notes on the model end. Its members stay on their lists, and no run removes them. With --list, also for a
    model that no longer owns the list.
    """
    moved = project_flags.load().forget_in_state(name, list_id, on_event=terminal.print_event)
    if as_json:
        show.print_json({"model": name, "lists": _lists_document(moved)})
        return
    show.print_line(f"forgot {name}: {_describe_rows(moved)}")


def _describe_rows(moved: Iterable[MovedRows]) -> str:
    parts = [
        f"{format_count(rows.rows, 'row')} on {rows.list_name or 'no list'}"
        + (f" ({rows.list_id})" if rows.list_id else "")
        for rows in moved
    ]
    return ", ".join(parts) or "no rows"


def _lists_document(moved: Iterable[MovedRows]) -> list[dict[str, Any]]:
    return [{"list": rows.list_name, "list_id": rows.list_id, "rows": rows.rows} for rows in moved]
