"""`reverse-etl run`: make the lists what the models say."""

from __future__ import annotations

import click

from reverse_etl.cli import show
from reverse_etl.cli.options import AS_JSON, SHOW_VALUES, Asked, of_models, of_plans, of_project, wish_of
from reverse_etl.cli.plan import planned
from reverse_etl.cli.show_result import result_json, show_result, why
from reverse_etl.cli.talk import talk


@click.command("run")
@of_project
@of_models
@of_plans
@click.option("--dry-run", is_flag=True, help="Only show the plan, as `plan` does.")
@click.option("--strict", is_flag=True, help="Exit 1 for standing rejections too.")
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
    dry_run: bool,
    strict: bool,
    show_values: bool,
    as_json: bool,
) -> int:
    """Send what changed, and settle every row of it.

    May be interrupted at any moment and run again.
    """
    project = asked.load()
    wish = wish_of(full_refresh=full_refresh, limit=limit, rekey=rekey)
    if dry_run:
        return planned(
            project,
            select,
            exclude,
            wish,
            allow_removes,
            dbt_gate=not no_dbt_gate,
            show_values=show_values,
            as_json=as_json,
        )
    with talk.progress():
        result = project.run(
            select,
            exclude,
            wish=wish,
            allow_removes=allow_removes,
            strict=strict,
            dbt_gate=not no_dbt_gate,
            tell=talk.event,
            observer=talk.exchange,
        )
    for note in result.plan.notes:
        talk.say(f"Note: {note}")
    if as_json:
        show.json_out(result_json(result))
    else:
        show_result(result)
    if result.exit_code == 1 and (said := why(result)):
        talk.say(said)
    return result.exit_code
