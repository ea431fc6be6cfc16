"""`reverse-etl exposures`: the lists in dbt's lineage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from reverse_etl.cli.options import Asked, of_project
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.dbt.exposures import Exposed, changed, exposures
from reverse_etl.dbt.graph import read_graph
from reverse_etl.domain.list_target import ListColumn, ListTarget
from reverse_etl.errors import UsageError
from reverse_etl.formatting import shown
from reverse_etl.parsing.yaml_document import read_yaml

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from reverse_etl.project import Project

FILE = "reverse_etl_exposures.yml"


@click.command("exposures")
@of_project
@click.option("--output", type=click.Path(path_type=Path), help=f"The file; default: {FILE} in dbt's models.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where the file is not what it should be.")
@click.option("--owner-name", default="reverse-etl", show_default=True, help="The owner of new exposures.")
@click.option("--owner-email", help="The owner's e-mail.")
def command(
    asked: Asked, *, output: Path | None, check: bool, owner_name: str, owner_email: str | None
) -> int:
    """Write the lists as exposures for dbt.

    One a model, in a YAML file among dbt's models, so that dbt's lineage shows the lists. What people add to
    an exposure there stays.
    """
    project = asked.load()
    if project.dbt is None or not project.dbt.manifest.is_file():
        raise UsageError.of(
            "Exposures name dbt's models, and there is no manifest that has them.",
            where=shown(project.dbt.manifest if project.dbt else project.folder),
            advice="Run in a dbt project, after: dbt parse",
        )
    path = output or project.folder / project.dbt.model_path / FILE
    before = read_yaml(path).content if path.exists() else None
    owner = {"name": owner_name} | ({"email": owner_email} if owner_email else {})
    text = _text(project, owner, before)
    if check:
        return _checked(path, before, text)
    path.write_text(text, encoding="utf-8")
    show.line(f"wrote {shown(path)}; see it with: dbt ls --resource-type exposure")
    return 0


def _text(project: Project, owner: dict[str, str], before: Any) -> str:
    assert project.dbt is not None  # noqa: S101 - as was made sure before
    models = [_exposed(model) for model in project.models]
    return exposures(models, read_graph(project.dbt.manifest), project.dbt.name, owner, before)


def _checked(path: Path, before: Any, text: str) -> int:
    differing = changed(before, yaml.safe_load(text))
    if not differing:
        show.line(f"{shown(path)} is as it should be")
        return 0
    talk.warn(f"{shown(path)} is not up to date: {', '.join(differing)}. Run: reverse-etl exposures")
    return 1


def _exposed(model: Model) -> Exposed:
    said = model.config.description.strip()
    source = f"Sent to Klaviyo by reverse-etl, from {model.path.as_posix()}."
    return Exposed(
        model.name, _label(model.config.target), f"{said}\n\n{source}" if said else source, model.reads
    )


def _label(target: ListTarget | None) -> str:
    if target is None:
        return "Klaviyo profiles"
    return f"Klaviyo {'lists' if isinstance(target, ListColumn) else 'list'} {target}"
