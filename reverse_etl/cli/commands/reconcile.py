"""`reverse-etl reconcile`: read lists back, and say how they differ from what was applied to them."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.drift import drift_document, show_drift
from reverse_etl.formatting import counted

_MEND = click.option(
    "--mend", is_flag=True, help="Let the next run send again what is missing; nothing is sent now."
)


@click.command("reconcile")
@of_project
@of_models
@_MEND
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - a flag each
    asked: Asked,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    *,
    mend: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Read lists back, and say who is missing or too many.

    Compares with what was applied to them; sends only GETs. Whoever was taken off by hand is missing; whoever
    is on a list for no row of its model was there before this job, or was put there by somebody else. Exits 1
    where somebody is missing and is not mended, is there though a removal found nobody, or where a list is
    gone from Klaviyo. Members of no row are told, and do not count.
    """
    project = asked.load()
    with talk.progress():
        found = project.reconcile(select, exclude, mend=mend, tell=talk.event, observer=talk.exchange)
    if as_json:
        show.json_out(drift_document(found, show_values=show_values))
    elif found:
        show_drift(found, show_values=show_values)
    else:
        show.line("There is no list to read back: these models sent to none.")
    missing = sum(one.missing for one in found)
    if missing and mend:
        talk.say(f"The next run sends {counted(missing, 'row')} again, of those that are still desired.")
    elif missing:
        talk.say("To let the next run send again what is missing: reverse-etl reconcile --mend")
    if any(one.others for one in found):
        talk.say("To let models decide of members of no row: reverse-etl adopt --select MODEL")
    left = [one for one in found if one.given_up or one.deleted or (one.missing and not mend)]
    return int(bool(left))
