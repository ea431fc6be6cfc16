"""`reverse-etl init`: write the first files, and print the next command."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from reverse_etl.cli.options import NO_VARS, ProjectFlags
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.model_templates import model_template_names, read_model_template
from reverse_etl.config.profiles import PROFILES_FILE, find_profiles_file
from reverse_etl.config.scaffold import (
    SANDBOX_DESTINATION,
    SourceTable,
    add_destination,
    find_people_table,
    render_first_model,
    render_profiles_yml,
)
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import ReverseEtlError, UsageError
from reverse_etl.formatting import format_path
from reverse_etl.models.discovery import models_folder
from reverse_etl.models.relations import load_relations
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.parsing.yaml_document import read_yaml
from reverse_etl.warehouse.factory import open_warehouse
from reverse_etl.warehouse.snowflake.task import render_snowflake_task
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.models.relations import Relations

FIRST_LIST_NAME = "My first list"
_COLUMNS_SQL = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ? "
    "ORDER BY table_name, ordinal_position"
)


@click.command("init")
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    help="Project folder. [default: current folder]",
)
@click.option("--profiles-dir", type=click.Path(path_type=Path), help="Folder that holds profiles.yml.")
@click.option("--profile", help="Profile in profiles.yml.")
@click.option("-t", "--target", help="Target of the profile.")
@click.option("--warehouse", help="DuckDB file to read, if there is no profiles.yml yet.")
@click.option(
    "--schedule",
    type=click.Choice(["snowflake"]),
    help="Print the SQL of a task that runs reverse-etl inside Snowflake; write nothing.",
)
@click.option(
    "--after",
    metavar="TASK",
    help="With --schedule snowflake: the full name of the task that builds with dbt, which the job follows.",
)
@click.option(
    "--template",
    type=click.Choice(model_template_names()),
    help="Write this ready model, which sends a request to an endpoint of Klaviyo, and nothing else.",
)
def command(  # noqa: PLR0913 - one argument per flag
    *,
    project_dir: Path,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
    warehouse: str | None,
    schedule: str | None,
    after: str | None,
    template: str | None,
) -> None:
    """Create a destination and a first model.

    Run it in a dbt project, in a folder with a DuckDB file, or in an empty folder. It overwrites nothing, and
    adds only the missing lines to profiles.yml. The destination is a sandbox: a local stand-in for Klaviyo
    that needs no key.
    """
    project_flags = ProjectFlags(project_dir, profiles_dir, profile, target, NO_VARS, None)
    if after is not None and schedule is None:
        raise click.UsageError("--after is for --schedule snowflake.")
    if schedule is not None:
        show.print_text(render_snowflake_task(project_flags.load_target(), after))
        return
    if template is not None:
        _write_template(project_dir, template)
        return
    path = _ensure_destination(project_flags, warehouse)
    _write_first_model(replace(project_flags, profiles_dir=path.parent))
    project_path = project_dir.resolve()
    if any((folder / ".git").exists() for folder in (project_path, *project_path.parents)):
        ignored_patterns = "*.reverse_etl.duckdb*, klaviyo_sandbox.sqlite*"
        show.print_line(f"add to .gitignore, since these files hold personal data: {ignored_patterns}")
    flags = _format_flags(project_dir, profiles_dir, profile, target)
    show.print_line(f"\nNext: reverse-etl debug{flags}, then reverse-etl plan{flags}")


def _format_flags(
    project_dir: Path, profiles_dir: Path | None, profile: str | None, target: str | None
) -> str:
    """Return the options that the next command needs too, each with a leading space."""
    values_by_flag = {
        "--project-dir": "" if project_dir == Path() else str(project_dir),
        "--profiles-dir": str(profiles_dir or ""),
        "--profile": profile or "",
        "--target": target or "",
    }
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in values_by_flag.items() if value)


def _ensure_destination(project_flags: ProjectFlags, warehouse: str | None) -> Path:
    """Add a destination to profiles.yml, or create the file; returns its path."""
    try:
        path = find_profiles_file(project_flags.project_dir, project_flags.profiles_dir, os.environ)
    except UsageError:
        if project_flags.profiles_dir or os.environ.get("DBT_PROFILES_DIR"):
            raise
        return _write_profiles(project_flags, warehouse)
    if _is_unrelated_profile(path, project_flags):
        return _write_profiles(project_flags, warehouse)
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
            f"init can't add a destination to the profile {name}, because it is written on one line.",
            where=format_path(path),
            hint="Add this to the profile, beside outputs: destinations: "
            f"{{{target}: {SANDBOX_DESTINATION}}}",
        ) from None
    if changed is None:
        show.print_line(f"{format_path(path)} already has a destination for {name}.{target}")
    else:
        path.write_bytes(changed.encode("utf-8"))
        show.print_line(f"wrote {format_path(path)}: the destination of {name}.{target} is a sandbox")
    return path


def _is_unrelated_profile(path: Path, project_flags: ProjectFlags) -> bool:
    """Return whether the only profile is in the home folder, while this folder has a DuckDB file."""
    is_unconfigured = not (
        project_flags.profile
        or project_flags.profiles_dir
        or (project_flags.project_dir / "dbt_project.yml").exists()
    )
    return (
        is_unconfigured
        and path.parent == Path.home() / ".dbt"
        and bool(_find_duckdb_files(project_flags.project_dir))
    )


def _find_duckdb_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.duckdb") if ".reverse_etl." not in path.name)


def _write_profiles(project_flags: ProjectFlags, warehouse: str | None) -> Path:
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
    warehouse_path = warehouse or (files[0].name if files else "warehouse.duckdb")
    if len(files) > 1 and not warehouse:
        other_files = ", ".join(path.name for path in files[1:])
        terminal.warn(f"There are more DuckDB files: {other_files}. To read another one, use --warehouse.")
    path = folder / PROFILES_FILE
    name = project_flags.profile or (project.profile if project else "") or _derive_profile_name(folder)
    path.write_text(
        render_profiles_yml(name, warehouse_path, project_flags.target or "trial"), encoding="utf-8"
    )
    show.print_line(
        f"wrote {format_path(path)}: the warehouse is {warehouse_path}, the destination a sandbox"
    )
    return path


def _derive_profile_name(folder: Path) -> str:
    name = "".join(c if c.isalnum() else "_" for c in folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"shop_{name}".strip("_")


def _choose_profile_and_target(path: Path, project_flags: ProjectFlags) -> tuple[str, str]:
    """Return the profile and target that dbt would choose."""
    profiles: dict[str, dict[str, Any]] = {
        str(key): value
        for key, value in read_yaml(path).content.items()
        if isinstance(value, dict) and isinstance(value.get("outputs"), dict) and value["outputs"]
    }
    project = read_dbt_project(project_flags.project_dir, environ=os.environ, cli_vars={})
    name = project_flags.profile or (project.profile if project else None)
    name = name or (next(iter(profiles)) if len(profiles) == 1 else "")
    if name not in profiles:
        raise UsageError.of(
            f"There is no profile {name}." if name else "There are several profiles.",
            where=format_path(path),
            hint=f"Choose one with --profile: {', '.join(profiles)}",
        )
    outputs = [str(output) for output in profiles[name]["outputs"]]
    default_target = str(profiles[name].get("target", ""))
    target = (
        project_flags.target
        or os.environ.get("DBT_TARGET")
        or (default_target if default_target in outputs else outputs[0])
    )
    if target not in outputs:
        raise UsageError.of(
            f"The profile {name} has no target {target}.",
            where=format_path(path),
            hint=f"Choose one with --target: {', '.join(outputs)}",
        )
    return name, target


def _write_template(project_dir: Path, template: str) -> None:
    path = models_folder(project_dir) / f"{template}.sql"
    if path.exists():
        raise UsageError.of(
            "The model exists already.",
            where=format_path(path),
            hint="Rename it, or delete it to start again from the ready model.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(read_model_template(template), encoding="utf-8")
    show.print_line(f"wrote {format_path(path)}: change the names of its table and columns")
    show.print_line(f"\nNext: reverse-etl debug --request {template}")


def _write_first_model(project_flags: ProjectFlags) -> None:
    """Write a first model, unless there are models already."""
    folder = models_folder(project_flags.project_dir)
    if any(folder.rglob("*.sql")):
        show.print_line(f"{format_path(folder)} already has models")
        return
    source = _find_source_table(project_flags)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "first_list.sql"
    path.write_text(render_first_model(source, FIRST_LIST_NAME), encoding="utf-8")
    if source is None:
        show.print_line(
            f"wrote {format_path(path)}: found no table with an e-mail column, so change the table in it"
        )
    else:
        show.print_line(
            f"wrote {format_path(path)}: selects everyone in {source.table} with an e-mail; adapt it"
        )


def _find_source_table(project_flags: ProjectFlags) -> SourceTable | None:
    """Return a table of people in the warehouse that `ref` can find, or None."""
    columns_by_table: dict[str, list[str]] = {}
    try:
        target = project_flags.load_target()
        output, relations = target.output, load_relations(target, _find_manifest(project_flags.project_dir))
        with closing(open_warehouse(output, read_only=True)) as warehouse, warehouse.staging():
            for table, column in warehouse.fetch(Statement.read(_COLUMNS_SQL, (output.schema,))):
                columns_by_table.setdefault(table, []).append(column)
    except ReverseEtlError as error:
        terminal.warn(f"Could not read the warehouse. {error.problems[0].summary}")
        return None
    return find_people_table(
        {table: columns for table, columns in columns_by_table.items() if _can_reference(relations, table)}
    )


def _find_manifest(folder: Path) -> Path | None:
    project = read_dbt_project(folder, environ=os.environ, cli_vars={})
    if project is None:
        return None
    try:
        return project.manifest_path
    except UsageError:
        terminal.warn("There is no dbt manifest yet, so the table may not be a dbt model. Run: dbt parse")
        return None


def _can_reference(relations: Relations, table: str) -> bool:
    try:
        relations.ref(table, None, None)
    except ContextError:
        return False
    return True
