"""`reverse-etl compile`: the SQL that a run would stage."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show


@click.command("compile")
@of_project
@of_models
@AS_JSON
def command(asked: Asked, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool) -> None:
    """Print the SQL of the models.

    As the warehouse will get it; the warehouse is not asked.
    """
    models = asked.load().select(select, exclude)
    if as_json:
        show.json_out([{"name": model.name, "path": str(model.path), "sql": model.sql} for model in models])
        return
    for model in models:
        show.line(f"-- {model.path}\n{model.sql};\n")
