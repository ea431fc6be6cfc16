"""`reverse-etl adopt`: take ownership of the current members of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import ListFlags, ProjectFlags, list_options, request_options
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.drift import format_resent, show_differences
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.reconcile.drift import ListDifference

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show which members it would adopt; change nothing.")


@click.command("adopt")
@request_options
@list_options(_DRY_RUN)
def command(project_flags: ProjectFlags, list_flags: ListFlags, *, dry_run: bool) -> int:
    """Take ownership of the current list members.

    Later runs may then remove them.

    Without it, members who joined before the first run stay on the list for good. Afterwards the model
    decides: the next run removes members that the model does not return, within its guards, and sends missing
    rows again. `adopt` itself sends only GETs. It needs --select and a model that has run before. It exits
    with 1 if a list no longer exists in Klaviyo.
    """
    if not list_flags.select:
        raise UsageError.of(
            "Name the models whose lists to adopt.",
            where="--select",
            hint="Use --select: reverse-etl adopt --select MODEL",
        )
    project = project_flags.load()
    with terminal.progress_bars():
        differences = project.adopt(
            list_flags.select,
            list_flags.exclude,
            dry_run=dry_run,
            on_progress=terminal.print_progress,
            on_request=terminal.print_request,
        )
    show_differences(differences, list_flags)
    existing = [difference for difference in differences if not difference.deleted]
    if existing:
        _print_next_steps(existing, dry_run=dry_run)
    return int(len(existing) < len(differences))


def _print_next_steps(differences: Sequence[ListDifference], *, dry_run: bool) -> None:
    others = sum(difference.unmanaged for difference in differences)
    already_members = sum(difference.already_members for difference in differences)
    missing = sum(difference.missing for difference in differences)
    adopted_texts = [
        *([f"{format_count(others, 'member')} without a row"] if others else []),
        *(
            [f"{format_count(already_members, 'member')} from before the first run"]
            if already_members
            else []
        ),
    ]
    if adopted_texts:
        terminal.info(f"{'Would be' if dry_run else 'Now'} adopted: {', and '.join(adopted_texts)}.")
    else:
        terminal.info("Nothing to adopt: reverse-etl already owns every member of these lists.")
    if others and not dry_run:
        terminal.info(
            "The next run removes the members that their model does not return. To list them: "
            "reverse-etl plan"
        )
    if missing and not dry_run:
        terminal.info(format_resent(missing))
