"""`reverse-etl adopt`: let everybody on a list count as put there by this job."""

from __future__ import annotations

import click

from reverse_etl.cli import show
from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_project
from reverse_etl.cli.show_drift import drift_document, show_drift
from reverse_etl.cli.talk import talk
from reverse_etl.errors import UsageError
from reverse_etl.phrases import counted

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
    the next run takes off, if its guards let it. Sends only GETs itself. Needs --select, and a model that was
    sent before.
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
    _say_what_comes(sum(one.others for one in found), sum(one.before for one in found), dry=dry_run)
    return 0


def _say_what_comes(others: int, before: int, *, dry: bool) -> None:
    when = "Would be" if dry else "Now"
    if not others and not before:
        talk.say("Nobody to adopt: everybody on these lists was put there by this job.")
        return
    talk.say(
        f"{when} adopted: {counted(others, 'member')} of no row, and {counted(before, 'row')} "
        "whose person was there before."
    )
    if others and not dry:
        talk.say("The next run takes off whom its model does not return. See who: reverse-etl plan")
