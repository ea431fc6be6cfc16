"""`reverse-etl apply`: carry out a saved plan, or nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reverse_etl.cli.commands.plan import say_what_the_gate_lacks
from reverse_etl.cli.commands.run import show_run
from reverse_etl.cli.options import AS_JSON, NO_VARS, STRICT, Asked, of_project
from reverse_etl.cli.output.console import talk
from reverse_etl.errors import UsageError
from reverse_etl.planning.saved_plan import SavedPlan


@click.command("apply")
@click.argument("file", metavar="PLAN", type=click.Path(path_type=Path))
@of_project
@STRICT
@AS_JSON
def command(asked: Asked, file: Path, *, strict: bool, as_json: bool) -> int:
    """Carry out a plan that `plan --out` saved, or nothing.

    Models, rows and values must be those that PLAN was made of; else exits 3 and says what moved.
    Profile, target, variables and the flags of the plan are in the file.
    """
    saved = _read(file)
    if asked.vars not in {NO_VARS, saved.vars}:
        raise UsageError.of(
            f"The plan was made with --vars {saved.vars!r}.",
            where="--vars",
            advice="Leave out --vars: apply takes them from the plan. Or save a plan with these.",
        )
    project = replace(
        asked,
        profile=asked.profile or saved.profile,
        target=asked.target or saved.target,
        vars=saved.vars,
    ).load()
    say_what_the_gate_lacks(project, passed=not saved.dbt_gate)
    talk.say(f"The plan: {saved.line}.")
    with talk.progress():
        result = project.apply(saved, strict=strict, tell=talk.event, observer=talk.exchange)
    return show_run(result, as_json=as_json)


def _read(file: Path) -> SavedPlan:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError.of(
            f"The plan can't be read: {error.strerror}.",
            where=str(file),
            advice="Save one: reverse-etl plan --out FILE",
        ) from error
    return SavedPlan.read(content, str(file))
