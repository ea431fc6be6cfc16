"""`reverse-etl exposures`: the lists in dbt's lineage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from reverse_etl.cli.options import ProjectFlags, project_options
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.dbt.exposures import ExposedModel, find_changed_exposures, render_exposures
from reverse_etl.dbt.graph import read_graph
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_path
from reverse_etl.parsing.yaml_document import read_yaml

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from reverse_etl.project import Project

DEFAULT_FILE = "reverse_etl_exposures.yml"


@click.command("exposures")
@project_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help=f"File to write. [default: {DEFAULT_FILE} in dbt's models folder]",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the file is out of date.")
@click.option("--owner-name", default="reverse-etl", show_default=True, help="Owner of new exposures.")
@click.option("--owner-email", help="E-mail address of the owner.")
def command(
    project_flags: ProjectFlags, *, output: Path | None, check: bool, owner_name: str, owner_email: str | None
) -> int:
    """Write a dbt exposure for each model.

    Writes a YAML file into dbt's models folder, so that dbt's lineage shows the Klaviyo lists. Your own
    additions to an exposure in that file are kept.
    """
    project = project_flags.load()
    if project.dbt_project is None:
        raise UsageError.of(
            "There is no dbt manifest. Exposures refer to dbt's models, so they need one.",
            where=format_path(project.folder),
            hint="In the dbt project, run: dbt parse",
        )
    path = output or project.folder / project.dbt_project.model_path / DEFAULT_FILE
    existing_content = read_yaml(path).content if path.exists() else None
    owner = {"name": owner_name} | ({"email": owner_email} if owner_email else {})
    text = _exposures_yaml(project, owner, existing_content)
    if check:
        return _check_file(path, existing_content, text)
    path.write_text(text, encoding="utf-8")
    show.print_line(f"wrote {format_path(path)}. To list the exposures: dbt ls --resource-type exposure")
    return 0


def _exposures_yaml(project: Project, owner: dict[str, str], existing_content: Any) -> str:
    assert project.dbt_project is not None  # noqa: S101 - as was made sure before
    models = [_exposed_node(model) for model in project.models]
    return render_exposures(
        models,
        read_graph(project.dbt_project.manifest_path),
        project.dbt_project.name,
        owner,
        existing_content,
    )


def _check_file(path: Path, existing_content: Any, text: str) -> int:
    differing = find_changed_exposures(existing_content, yaml.safe_load(text))
    if not differing:
        show.print_line(f"{format_path(path)} is up to date")
        return 0
    terminal.warn(
        f"{format_path(path)} is not up to date: {', '.join(differing)}. Run: reverse-etl exposures"
    )
    return 1


def _exposed_node(model: Model) -> ExposedModel:
    description = model.config.description.strip()
    source = f"Sent to Klaviyo by reverse-etl, from {model.path.as_posix()}."
    return ExposedModel(
        model.name,
        describe_target(model),
        f"{description}\n\n{source}" if description else source,
        model.reads,
    )


def describe_target(model: Model) -> str:
    """Return what the model controls in Klaviyo: its list, or its surface in words."""
    target, surface = model.config.list_target, model.config.surface.name.replace("_", " ")
    if target is None:
        return f"Klaviyo {surface}"
    lists = f"{'lists' if isinstance(target, ListColumn) else 'list'} {target}"
    return f"Klaviyo {lists}" if model.owns_members else f"Klaviyo {surface} of {lists}"
