"""`reverse-etl plan`: what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli import show
from reverse_etl.cli.documents import plan_document
from reverse_etl.cli.options import Asked, PlanAsked, of_plans, of_project
from reverse_etl.cli.show_plan import show_plan
from reverse_etl.cli.talk import talk
from reverse_etl.errors import GuardRefused
from reverse_etl.phrases import counted
from reverse_etl.plan import guard
from reverse_etl.planning import unknown_models

if TYPE_CHECKING:
    from reverse_etl.plan import Plan
    from reverse_etl.project import Project


@click.command("plan")
@of_project
@of_plans()
def command(asked: Asked, plan_asked: PlanAsked) -> int:
    """Show what a run would send, and send nothing.

    Changes no table and no file. Works without a key: then lists are not looked up. Exits 3 where a guard
    or the gate behind dbt would refuse the run.
    """
    return planned(asked.load(), plan_asked)


def planned(project: Project, asked: PlanAsked) -> int:
    """Draw a plan and print it. Raises GuardRefused, after printing, where a run would be refused."""
    unknown_models(asked.allow_removes, project.models, "--allow-removes")
    say_what_the_gate_lacks(project, asked)
    plan = project.plan(asked.select, asked.exclude, wish=asked.wish, tell=talk.event, observer=talk.exchange)
    if asked.as_json:
        show.json_out(plan_document(plan, show_values=asked.show_values))
    else:
        show_plan(plan, show_values=asked.show_values)
    say_what_is_not_known(project, plan)
    held = () if asked.no_dbt_gate else project.gate([one.model for one in plan.models])
    if problems := (*held, *guard(plan.models, asked.allow_removes)):
        raise GuardRefused(*problems)
    return 0


def say_what_the_gate_lacks(project: Project, asked: PlanAsked) -> None:
    """Warn where the gate lets everything pass because dbt's last command did not build or test."""
    if not asked.no_dbt_gate and (doubt := project.gate_doubt()):
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
