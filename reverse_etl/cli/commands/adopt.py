"""`reverse-etl adopt`: let everybody on a list count as put there by this job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.drift import drift_document, show_drift
from reverse_etl.errors import UsageError
from reverse_etl.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.reconcile.drift import Drift

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show whom it would adopt; change nothing.")


@click.command("adopt")
@of_project
@of_models
@_DRY_RUN
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - a flag each
    asked: Asked,
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
            advice="Name them: reverse-etl adopt --select MODEL",
        )
    project = asked.load()
    with talk.progress():
        found = project.adopt(select, exclude, dry=dry_run, tell=talk.event, observer=talk.exchange)
    if as_json:
        show.json_out(drift_document(found, show_values=show_values))
    else:
        show_drift(found, show_values=show_values)
    read = [one for one in found if not one.deleted]
    if read:
        _say_what_comes(read, dry=dry_run)
    return int(len(read) < len(found))


def _say_what_comes(found: Sequence[Drift], *, dry: bool) -> None:
    others = sum(one.others for one in found)
    before = sum(one.there_before for one in found)
    missing = sum(one.missing for one in found)
    adopted = [
        *([f"{counted(others, 'member')} of no row"] if others else []),
        *([f"{counted(before, 'row')} whose person was there before"] if before else []),
    ]
    if adopted:
        talk.say(f"{'Would be' if dry else 'Now'} adopted: {', and '.join(adopted)}.")
    else:
        talk.say("Nobody to adopt: everybody on these lists was put there by this job.")
    if others and not dry:
        talk.say("The next run takes off whom its model does not return. See who: reverse-etl plan")
    if missing and not dry:
        talk.say(f"The next run sends {counted(missing, 'row')} again, of those that are still desired.")
