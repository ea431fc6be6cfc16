"""`reverse-etl compile`: the SQL of the models, as a run stages it."""

from __future__ import annotations

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.dbt.gate import format_warning


@click.command("compile")
@project_options
@selection_options
@AS_JSON
def command(
    project_flags: ProjectFlags, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool
) -> None:
    """Print the compiled SQL of the models.

    Works offline: it does not connect to the warehouse.
    """
    models = project_flags.load().select(select, exclude)
    for warning in (warning for model in models for warning in (*model.warnings, *model.hints)):
        terminal.warn(format_warning(warning))
    if as_json:
        show.print_json([{"name": model.name, "path": str(model.path), "sql": model.sql} for model in models])
        return
    for model in models:
        show.print_line(f"-- {model.path}")
        show.print_text(f"{model.sql};\n")
