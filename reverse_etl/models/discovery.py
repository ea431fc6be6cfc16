"""Find the SQL files of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.project import DBT_PROJECT_FILE as DBT_PROJECT
from reverse_etl.errors import NoModels
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX: Final = ".sql"


def models_folder(project_dir: Path) -> Path:
    """Return the folder of models: `reverse_etl` in a dbt project, `models` otherwise."""
    return project_dir / ("reverse_etl" if (project_dir / DBT_PROJECT).is_file() else "models")


def find_model_files(project_dir: Path) -> tuple[Path, ...]:
    """Return the SQL files of models, sorted by name. Hidden files and folders are left out.

    The suffix may be in upper case. Editors and archives leave hidden files such as `._vip.sql`.
    """
    folder = models_folder(project_dir)
    return tuple(
        sorted(
            (path for path in folder.rglob("*") if _is_model_file(path, folder)),
            key=lambda path: (path.stem, path),
        )
    )


def no_models_error(project_dir: Path) -> NoModels:
    """Return the error of a project that has neither a file nor a dbt model to send."""
    folder, dbt_folder = models_folder(project_dir), project_dir / "reverse_etl"
    hint = (
        f"The SQL files in {dbt_folder.name}/ are models only beside a dbt_project.yml. Move them to "
        f"{folder.name}/, or add --project-dir with the dbt project."
        if folder != dbt_folder and any(dbt_folder.glob("*.sql"))
        else "Write a model in this folder, or begin with a ready one, for example: "
        "reverse-etl init --template list_column"
    )
    return NoModels.of("The project has no models.", where=format_location(folder), hint=hint)


def _is_model_file(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() == _SUFFIX and not hidden and path.is_file()
