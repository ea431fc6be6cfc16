"""`reverse-etl state`: rename and forget models in the state, move it, and trust a restored one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options, state_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.domain.identifiers import IdentifierType, canonicalize, mask_text
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.state.model_changes import MovedRows


@click.group("state")
def command() -> None:
    """Change the state: rename, forget, move, trust, readmit.

    Use it after you renamed or deleted a model, after a model got another list, after you renamed the
    profile or moved the state, or after you put back a backup of the state. It sends no requests and
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
    moved = project_flags.load().state_changes.rename(old_name, new_name, on_progress=terminal.print_progress)
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

    Notes on the model end. Its members stay on their lists, and no run removes them. People that it deleted
    are readmitted: other models may send them again. With --list, also for a model that no longer owns the
    list.
    """
    moved = project_flags.load().state_changes.forget(name, list_id, on_progress=terminal.print_progress)
    if as_json:
        show.print_json({"model": name, "lists": _lists_document(moved)})
        return
    show.print_line(f"forgot {name}: {_describe_rows(moved)}")


@command.command("move")
@state_options
@click.option("--from-profile", "old_profile", metavar="NAME", help="The name that the profile had before.")
@click.option("--from", "source", metavar="PATH", help="The place that the state had before.")
@AS_JSON
def move(project_flags: ProjectFlags, *, old_profile: str | None, source: str | None, as_json: bool) -> None:
    """Let a moved state or a renamed profile continue.

    --from-profile gives the rows of a renamed profile to its new name. --from moves a DuckDB state file to
    where the profile has it now, for example to a new state_path. In Snowflake, rename its schema instead.
    """
    if (old_profile is None) == (source is None):
        raise click.UsageError("Give either --from-profile or --from.")
    project = project_flags.load()
    if source is not None:
        location = project.state_changes.move_from(source)
        if as_json:
            show.print_json({"from": source, "to": location})
        else:
            show.print_line(f"The state was moved from {source} to {location}.")
        return
    assert old_profile is not None  # noqa: S101 - one of the two is given
    models = project.state_changes.move_from_project(old_profile, on_progress=terminal.print_progress)
    if as_json:
        show.print_json(
            {"from_profile": old_profile, "profile": project.target.profile, "models": list(models)}
        )
        return
    show.print_line(f"{project.target.profile} continues {old_profile}: {', '.join(models)}")
    terminal.info("To see what the next run sends: reverse-etl plan")


@command.command("trust")
@state_options
@AS_JSON
def trust(project_flags: ProjectFlags, *, as_json: bool) -> None:
    """Let runs remove members after a restored backup.

    Runs hold removals if the state may be older than what was sent: it may count members as its own that
    somebody else added since. Look at the removals first (reverse-etl plan). Members that you want to keep
    must be in the model.
    """
    holds = project_flags.load().state_changes.trust(on_progress=terminal.print_progress)
    if as_json:
        show.print_json({"ended_holds": holds})
        return
    show.print_line(
        f"The state is trusted: {format_count(holds, 'hold')} ended."
        if holds
        else "The state is trusted. No recorded hold had to end."
    )
    terminal.info("To see what the next run sends: reverse-etl plan")


@command.command("readmit")
@state_options
@click.argument("identity", metavar="TYPE:VALUE")
@AS_JSON
def readmit(project_flags: ProjectFlags, *, identity: str, as_json: bool) -> None:
    """Let models send a person again whose deletion was requested.

    TYPE:VALUE is an identifier of the row, as in email:ann@example.com. The deletion is not undone, and it
    is not asked for again while the row stays in its model.
    """
    kind, _, value = identity.partition(":")
    kinds = [str(kind) for kind in IdentifierType]
    canonical = canonicalize(IdentifierType(kind), value) if kind in kinds else None
    if canonical is None:
        raise UsageError.of(
            "This is not an identifier with its type.",
            where=f"reverse-etl state readmit {mask_text(identity)}",
            hint=f"For example: email:ann@example.com. The types are {', '.join(kinds)}.",
        )
    with project_flags.load().connections.locked_state(terminal.print_progress) as state:
        people = state.withheld.readmit(f"{kind}:{canonical}")
    if as_json:
        show.print_json({"readmitted": people})
        return
    show.print_line(
        f"readmitted {format_count(people, 'person', 'people')}: the next runs send their rows again"
        if people
        else "Nobody with this identifier is withheld."
    )


def _describe_rows(moved: Iterable[MovedRows]) -> str:
    parts = [
        f"{format_count(rows.rows, 'row')} on {rows.list_name or 'no list'}"
        + (f" ({rows.list_id})" if rows.list_id else "")
        for rows in moved
    ]
    return ", ".join(parts) or "no rows"


def _lists_document(moved: Iterable[MovedRows]) -> list[dict[str, Any]]:
    return [{"list": rows.list_name, "list_id": rows.list_id, "rows": rows.rows} for rows in moved]
