"""`reverse-etl schema`: a JSON Schema, with which an editor completes and checks what users write."""

from __future__ import annotations

import click

from reverse_etl.cli.output import tables as show
from reverse_etl.models.editor_schema import SchemaName, build_editor_schema


@click.command("schema")
@click.argument("name", metavar="FILE", type=click.Choice([name.value for name in SchemaName]))
def command(name: str) -> None:
    """Print a JSON Schema, by which an editor checks a file.

    FILE is profiles.yml, for its destinations, or dbt, for meta.reverse_etl in dbt's YAML files.

    \b
    reverse-etl schema profiles.yml > profiles.schema.json
    reverse-etl schema dbt > dbt.schema.json
    """  # noqa: D301 - \b tells click not to join the lines
    show.print_json(build_editor_schema(SchemaName(name)))
