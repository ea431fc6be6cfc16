"""`reverse-etl ls`: the models of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import AS_JSON, ProjectFlags, project_options, selection_options
from reverse_etl.cli.output import tables as show

if TYPE_CHECKING:
    from reverse_etl.models.model import Model


@click.command("ls")
@project_options
@selection_options
@AS_JSON
def command(
    project_flags: ProjectFlags, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool
) -> None:
    """List the models with their surface, list and identifiers."""
    models = project_flags.load().select(select, exclude)
    if as_json:
        show.print_json([_model_document(model) for model in models])
        return
    headings = ("model", "surface", "list", "identifiers", "tags", "file")
    rows = [
        (
            model.name,
            model.config.surface.name,
            str(model.config.list_target or ""),
            ", ".join(f"{kind}: {column}" for kind, column in model.config.identifiers.items()),
            ", ".join(model.config.tags),
            model.path,
        )
        for model in models
    ]
    show.print_table(headings, rows, text_columns=len(headings))


def _model_document(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "path": str(model.path),
        "surface": model.config.surface.name,
        "list": str(model.config.list_target or ""),
        "identifiers": {kind.value: column for kind, column in model.config.identifiers.items()},
        "columns": list(model.columns),
        "payload": {payload_column.column: payload_column.property for payload_column in model.payload},
        "tags": list(model.config.tags),
        "reads": list(model.reads),
        "description": model.config.description,
    }
