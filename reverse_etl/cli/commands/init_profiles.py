"""`reverse-etl init` and profiles.yml: the file or its destination is added if it is missing."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import yaml

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.profiles import PROFILES_FILE, find_profiles_file, read_profiles
from reverse_etl.config.scaffold import (
    SANDBOX_DESTINATION,
    add_destination,
    render_profiles_yml,
)
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.cli.options import ProjectFlags

_DBT_DEFAULT: Final = "default"  # the target of a profile that names none


def ensure_destination(project_flags: ProjectFlags, warehouse: str | None) -> ProjectFlags:
    """Add a destination to profiles.yml, or create the file; returns the flags that choose it.

    They name the target if the profile does not.
    """
    try:
        path = find_profiles_file(project_flags.project_dir, project_flags.profiles_dir, os.environ)
    except UsageError:
        if project_flags.profiles_dir or os.environ.get("DBT_PROFILES_DIR"):
            raise
        path = _write_profiles(project_flags, warehouse)
        return replace(project_flags, profiles_dir=path.parent)
    if _has_only_comments(path) and not _is_in_home(path):
        path = _write_profiles(project_flags, warehouse, path)
        return replace(project_flags, profiles_dir=path.parent)
    if _is_unrelated_profile(path, project_flags):
        path = _write_profiles(project_flags, warehouse)
        return replace(project_flags, profiles_dir=path.parent)
    if warehouse:
        raise UsageError.of(
            "profiles.yml exists already and names the warehouse.",
            where="--warehouse",
            hint=f"Remove --warehouse, or change the path in {format_path(path)}.",
        )
    name, target = _choose_profile_and_target(path, project_flags)
    try:
        changed = add_destination(path.read_bytes().decode("utf-8"), name, target)
    except (ValueError, KeyError, yaml.YAMLError):
        raise UsageError.of(
            f"init can't add a destination to the profile {name}: the profile or its "
            "`destinations` is empty or written on one line.",
            where=format_path(path),
            hint="Add this to the profile, beside outputs: destinations: "
            f"{{{target}: {SANDBOX_DESTINATION}}}",
        ) from None
    if changed is None:
        show.print_line(f"{format_path(path)} already has a destination for {name}.{target}")
    else:
        _require_consent(path, project_flags)
        path.write_bytes(changed.encode("utf-8"))
        show.print_line(f"added a sandbox as the destination of {name}.{target} to {format_path(path)}")
    is_default = target == _default_target(read_profiles(path).content[name])
    return replace(project_flags, profiles_dir=path.parent, target=None if is_default else target)


def _require_consent(path: Path, project_flags: ProjectFlags) -> None:
    """Ask before a file of the home folder is changed, unless a flag named it; other projects read it too.

    Raises UsageError if nobody can be asked, or the answer is no.
    """
    if project_flags.profiles_dir or not _is_in_home(path):
        return
    question = f"{format_path(path)} may belong to other projects too. Add a destination to it?"
    if sys.stdin.isatty() and click.confirm(question, err=True):
        return
    raise UsageError.of(
        f"init does not change {format_path(path)} without your consent.",
        where=format_path(path),
        hint=f"Name it: reverse-etl init --profiles-dir {shlex.quote(str(path.parent))}",
    )


def _is_unrelated_profile(path: Path, project_flags: ProjectFlags) -> bool:
    """Return whether the only profile is in the home folder, while this folder has a DuckDB file."""
    is_unconfigured = not (
        project_flags.profile
        or project_flags.profiles_dir
        or (project_flags.project_dir / "dbt_project.yml").exists()
    )
    return is_unconfigured and _is_in_home(path) and bool(_find_duckdb_files(project_flags.project_dir))


def _has_only_comments(path: Path) -> bool:
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return all(line.strip() == "" or line.lstrip().startswith("#") for line in lines)


def _is_in_home(path: Path) -> bool:
    """Return whether a file is in dbt's folder of the home folder; a user in a container may have none."""
    home = os.environ.get("HOME", "")
    return home != "" and path.parent == Path(home) / ".dbt"


def _find_duckdb_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.duckdb") if ".reverse_etl." not in path.name)


def _name_file(folder: Path, name: str) -> str:
    """Return a file of a folder as profiles.yml names it: paths there are relative to the current folder."""
    return name if folder.resolve() == Path.cwd() else str(folder.resolve() / name)


def _write_profiles(
    project_flags: ProjectFlags, warehouse: str | None, empty_file: Path | None = None
) -> Path:
    """Create profiles.yml in the project's folder, or continue a file that has only comments."""
    folder = project_flags.project_dir
    files = _find_duckdb_files(folder)
    project = read_dbt_project(folder, environ=os.environ, cli_vars={})
    if project and not (files or warehouse):
        raise UsageError.of(
            "This dbt project has neither a profiles.yml nor a DuckDB file.",
            where=format_path(folder),
            hint="Create the profile that dbt needs, or name a DuckDB file: "
            "reverse-etl init --warehouse FILE",
        )
    warehouse_path = warehouse or _name_file(folder, files[0].name if files else "warehouse.duckdb")
    if len(files) > 1 and not warehouse:
        other_files = ", ".join(path.name for path in files[1:])
        terminal.warn(f"There are more DuckDB files: {other_files}. To read another one, use --warehouse.")
    path = empty_file or folder / PROFILES_FILE
    name = project_flags.profile or (project.profile if project else "") or _derive_profile_name(folder)
    comments = path.read_bytes() if empty_file else b""
    text = render_profiles_yml(name, warehouse_path, project_flags.target or "trial")
    line_end = b"" if not comments or comments.endswith(b"\n") else b"\n"
    path.write_bytes(comments + line_end + text.encode())
    show.print_line(
        f"wrote {format_path(path)}: the warehouse is {warehouse_path}, the destination a sandbox"
    )
    return path


def _default_target(profile: Mapping[str, Any]) -> str:
    """Return the target that dbt chooses without a flag."""
    return os.environ.get("DBT_TARGET") or str(profile.get("target") or _DBT_DEFAULT)


def _derive_profile_name(folder: Path) -> str:
    name = "".join(c if c.isalnum() else "_" for c in folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"shop_{name}".strip("_")


def _choose_profile_and_target(path: Path, project_flags: ProjectFlags) -> tuple[str, str]:
    """Return the profile and target that dbt would choose, or the first target if dbt has no choice."""
    profiles: dict[str, dict[str, Any]] = {
        str(key): value
        for key, value in read_profiles(path).content.items()
        if isinstance(value, dict) and isinstance(value.get("outputs"), dict) and value["outputs"]
    }
    project = read_dbt_project(project_flags.project_dir, environ=os.environ, cli_vars={})
    name = project_flags.profile or (project.profile if project else None)
    name = name or (next(iter(profiles)) if len(profiles) == 1 else "")
    if not profiles:
        raise UsageError.of(
            "No profile has outputs.",
            where=format_path(path),
            hint="Add them, as in dbt. Or move the file away, and run: reverse-etl init",
        )
    if name not in profiles:
        raise UsageError.of(
            f"There is no profile {name}." if name else "There are several profiles.",
            where=format_path(path),
            hint=f"Choose one with --profile: {', '.join(profiles)}",
        )
    outputs = [str(output) for output in profiles[name]["outputs"]]
    target = project_flags.target or _default_target(profiles[name])
    if not project_flags.target and target == _DBT_DEFAULT and target not in outputs:
        target = outputs[0]
    if target not in outputs:
        raise UsageError.of(
            f"The profile {name} has no target {target}.",
            where=format_path(path),
            hint=f"Choose one with --target: {', '.join(outputs)}",
        )
    return name, target
