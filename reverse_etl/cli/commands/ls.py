"""`reverse-etl ls`: the models of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reverse_etl.cli.options import AS_JSON, Asked, of_models, of_project
from reverse_etl.cli.output import tables as show

if TYPE_CHECKING:
    from reverse_etl.models.model import Model


@click.command("ls")
@of_project
@of_models
@AS_JSON
def command(asked: Asked, select: tuple[str, ...], exclude: tuple[str, ...], *, as_json: bool) -> None:
    """List the models, with what they drive."""
    models = asked.load().select(select, exclude)
    if as_json:
        show.json_out([_json(model) for model in models])
        return
    headings = ("model", "surface", "list", "identifiers", "tags", "file")
    rows = [
        (
            model.name,
            model.config.surface.value,
            str(model.config.target or ""),
            ", ".join(f"{kind}: {column}" for kind, column in model.config.identifiers.items()),
            ", ".join(model.config.tags),
            model.path,
        )
        for model in models
    ]
    show.table(headings, rows, words=len(headings))


def _json(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "path": str(model.path),
        "surface": model.config.surface.value,
        "list": str(model.config.target or ""),
        "identifiers": {kind.value: column for kind, column in model.config.identifiers.items()},
        "columns": list(model.columns),
        "payload": {part.column: part.property for part in model.payload},
        "tags": list(model.config.tags),
        "reads": list(model.reads),
        "description": model.config.description,
    }
