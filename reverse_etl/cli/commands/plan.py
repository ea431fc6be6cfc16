"""`reverse-etl plan`: what a run would do."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import Asked, PlanAsked, of_plans, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.json import plan_document
from reverse_etl.cli.output.plan import show_plan
from reverse_etl.domain.timestamps import moment
from reverse_etl.errors import GuardRefused
from reverse_etl.files import put
from reverse_etl.formatting import counted
from reverse_etl.planning.guards import guard
from reverse_etl.planning.planner import unknown_models
from reverse_etl.planning.saved_plan import SavedPlan

if TYPE_CHECKING:
    from reverse_etl.planning.plan import Plan
    from reverse_etl.project import Project


_OUT = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan to a file, for `apply`."
)


@click.command("plan")
@of_project
@of_plans(_OUT)
def command(asked: Asked, plan_asked: PlanAsked, *, out: Path | None) -> None:
    """Show what a run would send, and send nothing.

    Changes no table, and no file but the one asked for. Works without a key: then lists are not looked up.
    Exits 3 where a guard or the gate behind dbt would refuse the run.
    """
    if out == Path("-"):
        raise click.UsageError("A plan is saved in a file: name one.")
    project = asked.load()
    if out is None:
        planned(project, plan_asked)
        return
    try:
        plan = planned(project, plan_asked, sealed=True)
    except GuardRefused:
        talk.warn(f"The plan is not saved in {out}, since a run of it would be refused.")
        raise
    _save(project, plan, asked, plan_asked, out)


def planned(project: Project, asked: PlanAsked, *, sealed: bool = False) -> Plan:
    """Draw a plan and print it. Raises GuardRefused, after printing, where a run would be refused."""
    unknown_models(asked.allow_removes, project.models, "--allow-removes")
    say_what_the_gate_lacks(project, passed=asked.no_dbt_gate)
    wish = replace(asked.wish, sealed=sealed)
    plan = project.plan(asked.select, asked.exclude, wish=wish, tell=talk.event, observer=talk.exchange)
    if asked.as_json:
        show.json_out(plan_document(plan, show_values=asked.show_values))
    else:
        show_plan(plan, show_values=asked.show_values)
    say_what_is_not_known(project, plan)
    held = () if asked.no_dbt_gate else project.gate([one.model for one in plan.models])
    if problems := (*held, *guard(plan.models, asked.allow_removes)):
        raise GuardRefused(*problems)
    return plan


def _save(project: Project, plan: Plan, asked: Asked, plan_asked: PlanAsked, out: Path) -> None:
    """Write a plan to a file. Raises UsageError where nobody knows which lists it would be applied to."""
    if not plan.looked_up:
        project.target.destination.need_key()  # a sandbox that has not begun has one, and no list yet
    saved = SavedPlan.of(
        plan,
        project.target,
        wish=plan_asked.wish,
        made_at=moment(project.clock.now()),
        vars=asked.vars,
        allow_removes=plan_asked.allow_removes,
        dbt_gate=not plan_asked.no_dbt_gate,
    )
    put(out, saved.written())
    talk.say(f"Saved. To carry out just this, or nothing: reverse-etl apply {shlex.quote(str(out))}")


def say_what_the_gate_lacks(project: Project, *, passed: bool) -> None:
    """Warn where the gate lets everything pass because dbt's last command did not build or test.

    Not where it is `passed` unasked.
    """
    if not passed and (doubt := project.gate_doubt()):
        talk.warn(doubt)


def say_what_is_not_known(project: Project, plan: Plan) -> None:
    """Say why the run may come to something else than its plan."""
    if not plan.looked_up:
        sandbox = project.target.destination.sandbox
        why = "the sandbox starts with the first run" if sandbox else "there is no key"
        talk.say(f"Lists were not looked up: {why}. A list that was never sent to counts as new.")
    if plan.unsettled:
        runs = counted(plan.unsettled, "earlier run")
        talk.say(f"{runs} did not end; the next run settles that first, and may then have less to send.")
