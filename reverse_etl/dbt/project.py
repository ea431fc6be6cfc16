"""Read dbt_project.yml, if the project is also a dbt project."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.folders import find_manifest, refuse_empty_folders
from reverse_etl.errors import UsageError
from reverse_etl.parsing.jinja import TemplateError, render_value
from reverse_etl.parsing.variables import Var, make_env_var
from reverse_etl.parsing.yaml_document import YamlDocument, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DBT_PROJECT_FILE: Final = "dbt_project.yml"


@dataclass(frozen=True)
class DbtProject:
    """A dbt project.

    `profile` is None if the file has none. `target_path` is the folder that dbt writes to; it may not exist.
    Artifacts are read from `artifact_folders`. `model_path` is the first folder of dbt's models.
    """

    folder: Path
    name: str
    profile: str | None
    target_path: Path
    artifact_folders: tuple[Path, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)
    model_path: str = "models"

    @cached_property
    def manifest_path(self) -> Path:
        """Return the path of the newest manifest. Raises UsageError if there is none."""
        return find_manifest(self.artifact_folders)


def read_dbt_project(
    folder: Path,
    *,
    environ: Mapping[str, str],
    cli_vars: Mapping[str, Any],
    artifact_folders: Sequence[Path] = (),
) -> DbtProject | None:
    """Return the dbt project in `folder`, or None if the folder has no dbt_project.yml. Raises UsageError.

    As in dbt, values are rendered with `env_var` and with the values of --vars, and DBT_TARGET_PATH overrides
    `target-path`. `artifact_folders` override the target folder as the place of dbt's artifacts.
    """
    path = folder / DBT_PROJECT_FILE
    if not path.is_file():
        if artifact_folders:
            raise UsageError.of(
                f"The folder has no {DBT_PROJECT_FILE}, so --dbt-artifacts would have no effect.",
                where=f"--dbt-artifacts {artifact_folders[0]}",
                hint="Name the folder of the dbt project with --project-dir, or remove --dbt-artifacts.",
            )
        return None
    document = read_yaml(path)
    if not isinstance(document.content, dict):
        raise UsageError.of(f"{DBT_PROJECT_FILE} is not a mapping.", where=document.locate_line(()))
    context = {"env_var": make_env_var(environ), "var": Var(cli_vars)}
    name = _render_text(document, "name", context) or ""
    target_path = environ.get("DBT_TARGET_PATH") or _render_text(document, "target-path", context) or "target"
    variables = document.content.get("vars") or {}
    refuse_empty_folders(artifact_folders)
    return DbtProject(
        folder=folder,
        name=name,
        profile=_render_text(document, "profile", context),
        target_path=folder / target_path,
        artifact_folders=tuple(artifact_folders) or (folder / target_path,),
        variables=_merge_project_vars(variables, name) if isinstance(variables, dict) else {},
        model_path=_first_item(document.content.get("model-paths"), "models"),
    )


def _render_text(document: YamlDocument, key: str, context: Mapping[str, Any]) -> str | None:
    value = document.content.get(key)
    if value is None:
        return None
    try:
        return str(render_value(str(value), context))
    except TemplateError as error:
        raise UsageError.of(error.summary, where=document.locate_key((key,)), hint=error.hint) from None


def _first_item(listed: Any, default: str) -> str:
    return str(listed[0]) if isinstance(listed, list) and listed else default


def _merge_project_vars(variables: Mapping[str, Any], project: str) -> Mapping[str, Any]:
    own = variables.get(project)
    everywhere = {str(name): value for name, value in variables.items() if name != project}
    return everywhere | own if isinstance(own, dict) else everywhere
