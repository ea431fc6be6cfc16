"""`reverse-etl plan`: what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli import show
from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_plans, of_project, wish_of
from reverse_etl.cli.show_plan import plan_json, show_plan
from reverse_etl.cli.talk import talk
from reverse_etl.errors import GuardRefused
from reverse_etl.phrases import counted
from reverse_etl.plan import guard
from reverse_etl.planning import Wish, unknown_models

if TYPE_CHECKING:
    from reverse_etl.project import Project


@click.command("plan")
@of_project
@of_models
@of_plans
@SHOW_VALUES
@AS_JSON
def command(  # noqa: PLR0913 - one argument per flag
    asked: Asked,
    *,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    limit: int | None,
    allow_removes: tuple[str, ...],
    rekey: tuple[str, ...],
    full_refresh: bool,
    no_dbt_gate: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Show what a run would send, and send nothing.

    Changes no table and no file. Works without a key: then lists are not looked up. Exits 3 where a guard
    or the gate behind dbt would refuse the run.
    """
    wish = wish_of(full_refresh=full_refresh, limit=limit, rekey=rekey)
    return planned(
        asked.load(),
        select,
        exclude,
        wish,
        allow_removes,
        dbt_gate=not no_dbt_gate,
        show_values=show_values,
        as_json=as_json,
    )


def planned(  # noqa: PLR0913 - one argument per flag
    project: Project,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    wish: Wish,
    allow_removes: tuple[str, ...],
    *,
    dbt_gate: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Draw a plan and print it. Raises GuardRefused, after printing, where a run would be refused."""
    unknown_models(allow_removes, project.models, "--allow-removes")
    plan = project.plan(select, exclude, wish=wish, tell=talk.event, observer=talk.exchange)
    if as_json:
        show.json_out(plan_json(plan, show_values=show_values))
    else:
        show_plan(plan, show_values=show_values)
    if not plan.looked_up:
        sandbox = project.target.destination.sandbox
        why = "the sandbox starts with the first run" if sandbox else "there is no key"
        talk.say(f"Lists were not looked up: {why}. A list that was never sent to counts as new.")
    if plan.unsettled:
        runs = counted(plan.unsettled, "earlier run")
        talk.say(f"{runs} did not end; the next run settles that first, and may then have less to send.")
    held = project.gate([one.model for one in plan.models]) if dbt_gate else ()
    if problems := (*held, *guard(plan.models, allow_removes)):
        raise GuardRefused(*problems)
    return 0
