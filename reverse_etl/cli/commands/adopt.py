"""`reverse-etl adopt`: let everybody on a list count as put there by this job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.drift import differences_document, show_differences
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.reconcile.drift import ListDifference

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show whom it would adopt; change nothing.")


@click.command("adopt")
@project_options
@selection_options
@_DRY_RUN
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - a flag each
    project_flags: ProjectFlags,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    *,
    dry_run: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Let everybody on a list count as put there by this job.

    Else members from before its time stay for good. From then on the model decides: whom it does not return,
    the next run takes off, if its guards let it; and who is missing is sent again. Sends only GETs itself.
    Needs --select, and a model that was sent before. Exits 1 where a list is gone from Klaviyo.
    """
    if not select:
        raise UsageError.of(
            "adopt has to be told of which models the lists are to be taken over.",
            where="--select",
            hint="Name them: reverse-etl adopt --select MODEL",
        )
    project = project_flags.load()
    with terminal.progress_bars():
        differences = project.adopt(
            select, exclude, dry_run=dry_run, on_event=terminal.print_event, on_request=terminal.print_request
        )
    if as_json:
        show.print_json(differences_document(differences, show_values=show_values))
    else:
        show_differences(differences, show_values=show_values)
    existing = [difference for difference in differences if not difference.deleted]
    if existing:
        _print_next_steps(existing, dry_run=dry_run)
    return int(len(existing) < len(differences))


def _print_next_steps(differences: Sequence[ListDifference], *, dry_run: bool) -> None:
    others = sum(difference.others for difference in differences)
    already_members = sum(difference.there_before for difference in differences)
    missing = sum(difference.missing for difference in differences)
    adopted_texts = [
        *([f"{format_count(others, 'member')} of no row"] if others else []),
        *(
            [f"{format_count(already_members, 'row')} whose person was there before"]
            if already_members
            else []
        ),
    ]
    if adopted_texts:
        terminal.info(f"{'Would be' if dry_run else 'Now'} adopted: {', and '.join(adopted_texts)}.")
    else:
        terminal.info("Nobody to adopt: everybody on these lists was put there by this job.")
    if others and not dry_run:
        terminal.info("The next run takes off whom its model does not return. See who: reverse-etl plan")
    if missing and not dry_run:
        terminal.info(
            f"The next run sends {format_count(missing, 'row')} again, of those that are still desired."
        )
