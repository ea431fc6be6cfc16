"""Find profiles.yml where dbt finds it, and read one target of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.target_reader import ProfileReader
from reverse_etl.dbt.project import DBT_PROJECT_FILE as DBT_FILE
from reverse_etl.dbt.project import DbtProject, read_dbt_project
from reverse_etl.errors import UsageError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.variables import Var, make_env_var
from reverse_etl.parsing.yaml_document import YamlDocument, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.config.target import Target

PROFILES_FILE: Final = "profiles.yml"


def load_target(  # noqa: PLR0913 - what the command line's flags give
    project_dir: Path,
    *,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    environ: Mapping[str, str],
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's word
) -> Target:
    """Return the chosen target of the project's profile. Only this part of profiles.yml is rendered.

    Each choice takes the first of these that exists. The file: in `profiles_dir`, DBT_PROFILES_DIR, the
    current folder, the project's folder, `~/.dbt`. The profile: `profile`, DBT_PROFILE, dbt_project.yml, the
    only profile. The target: `target`, DBT_TARGET, the profile's `target`, `default`. `vars` are the values
    of --vars. Raises UsageError with all problems of the target.
    """
    if not project_dir.is_dir():
        summary = f"The folder {project_dir} does not exist."
        raise UsageError.of(summary, where="--project-dir", hint="Give the folder of your project.")
    dbt_project = read_dbt_project(project_dir, environ=environ, cli_vars=vars or {})
    document = read_profiles(find_profiles_file(project_dir, profiles_dir, environ))
    context = {"env_var": make_env_var(environ), "var": Var(vars or {})}
    reader = ProfileReader(
        document, _choose_profile(document, profile, dbt_project, environ), context, environ
    )
    return reader.read_target(target)


def list_targets(
    project_dir: Path,
    *,
    profiles_dir: Path | None,
    profile: str | None,
    environ: Mapping[str, str],
    vars: Mapping[str, Any],  # noqa: A002 - dbt's word
) -> tuple[str, ...]:
    """Return the names of the profile's targets; none is rendered. Raises UsageError as `load_target`."""
    dbt_project = read_dbt_project(project_dir, environ=environ, cli_vars=vars)
    document = read_profiles(find_profiles_file(project_dir, profiles_dir, environ))
    match document.content[_choose_profile(document, profile, dbt_project, environ)]:
        case {"outputs": {**outputs}}:
            return tuple(map(str, outputs))
    return ()


def find_profiles_file(project_dir: Path, profiles_dir: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the path of a project's profiles.yml; `load_target` documents the search order.

    Raises UsageError with the searched folders if there is none.
    """
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    if profiles_dir or environ.get("DBT_PROFILES_DIR"):
        folders = [profiles_dir or Path(environ["DBT_PROFILES_DIR"]).expanduser()]
    else:
        folders = [Path.cwd(), project_dir, *([home / ".dbt"] if home else [])]
    for folder in folders:
        if (folder / PROFILES_FILE).is_file():
            return folder / PROFILES_FILE
    searched = ", ".join(dict.fromkeys(str(Path.cwd() / folder) for folder in folders))
    raise UsageError.of(
        f"{PROFILES_FILE} was not found.",
        where=f"searched {searched}",
        hint=_parent_project_hint(project_dir)
        or "Run: reverse-etl init. Or give its folder: --profiles-dir FOLDER",
    )


def read_profiles(path: Path) -> YamlDocument:
    """Read profiles.yml. Raises UsageError if it is not YAML, or no mapping; an empty file is one."""
    document = read_yaml(path)
    if not isinstance(document.content, dict):
        raise UsageError.of(f"{PROFILES_FILE} is not a mapping of profiles.", where=document.locate_line(()))
    return document


def _parent_project_hint(folder: Path) -> str:
    """Return a hint if a parent folder holds a project, otherwise ''."""
    for parent in folder.absolute().parents:
        if (parent / PROFILES_FILE).is_file() or (parent / DBT_FILE).is_file():
            return f"There is a project in {parent}: run the command there, or add --project-dir {parent}"
    return ""


def _choose_profile(
    document: YamlDocument, requested: str | None, dbt_project: DbtProject | None, environ: Mapping[str, str]
) -> str:
    # `config` is a legacy key of dbt, and `destinations` is one that belongs to a profile.
    names = [str(name) for name in document.content if name not in ("config", "destinations", "destination")]
    chosen = requested or environ.get("DBT_PROFILE") or (dbt_project.profile if dbt_project else None)
    if chosen:
        if chosen not in names:
            origin = "" if requested or environ.get("DBT_PROFILE") else ", which dbt_project.yml uses"
            raise UsageError.of(
                f"There is no profile {chosen}{origin}.",
                where=document.locate_line(()),
                hint=did_you_mean(chosen, names),
            )
        return chosen
    match names:
        case [only]:
            return only
        case []:
            raise UsageError.of(
                f"{PROFILES_FILE} is empty.",
                where=document.locate_line(()),
                hint="Run: reverse-etl init",
            )
        case _:
            raise UsageError.of(
                f"{PROFILES_FILE} has several profiles.",
                where=document.locate_line(()),
                hint=f"Choose one with --profile: {', '.join(names)}",
            )
