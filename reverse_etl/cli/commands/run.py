"""`reverse-etl run`: make the lists what the models say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.commands.plan import planned, say_what_the_gate_lacks
from reverse_etl.cli.options import STRICT, Asked, PlanAsked, of_plans, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.json import result_document
from reverse_etl.cli.output.result import show_result, to_look_at

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.project import Project

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show the plan, as `plan` does.")


@click.command("run")
@of_project
@of_plans(_DRY_RUN, STRICT)
def command(asked: Asked, plan_asked: PlanAsked, *, dry_run: bool, strict: bool) -> int:
    """Send what changed, and settle every row of it.

    May be interrupted at any moment and run again.
    """
    project = asked.load()
    if dry_run:
        planned(project, plan_asked)
        return 0
    return _ran(project, plan_asked, strict=strict)


def _ran(project: Project, asked: PlanAsked, *, strict: bool) -> int:
    say_what_the_gate_lacks(project, passed=asked.no_dbt_gate)
    with talk.progress():
        result = project.run(
            asked.select,
            asked.exclude,
            wish=asked.wish,
            allow_removes=asked.allow_removes,
            strict=strict,
            dbt_gate=not asked.no_dbt_gate,
            tell=talk.event,
            observer=talk.exchange,
        )
    return show_run(result, as_json=asked.as_json)


def show_run(result: RunResult, *, as_json: bool) -> int:
    """Print what a run did, and say what there is to look at; returns its exit code."""
    if as_json:
        show.json_out(result_document(result))
    else:
        show_result(result)
    say_what_to_look_at(result)
    return result.exit_code


def say_what_to_look_at(result: RunResult) -> None:
    """Say what a run found that was left behind, and of which rows there is more to know."""
    for note in result.plan.news:
        talk.say(f"Note: {note}")
    for line in to_look_at(result):
        talk.say(line)
