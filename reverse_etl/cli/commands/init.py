"""`reverse-etl init`: the first files, and the next command."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from reverse_etl.cli.options import NO_VARS, Asked
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import talk
from reverse_etl.config.profiles import FILE, find_profiles
from reverse_etl.config.scaffold import (
    SANDBOX,
    Source,
    first_model,
    likeliest,
    new_profiles,
    with_destination,
)
from reverse_etl.config.snowflake_task import snowflake_task
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import ReverseEtlError, UsageError
from reverse_etl.formatting import shown
from reverse_etl.models.compile import models_folder
from reverse_etl.models.relations import relations_of
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.parsing.yaml_document import read_yaml
from reverse_etl.warehouse.factory import open_warehouse
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.models.relations import Relations

LIST = "My first list"
_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ? "
    "ORDER BY table_name, ordinal_position"
)


@click.command("init")
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    help="The project's folder; default: this one.",
)
@click.option("--profiles-dir", type=click.Path(path_type=Path), help="The folder of profiles.yml.")
@click.option("--profile", help="The profile in profiles.yml.")
@click.option("-t", "--target", help="The target of the profile.")
@click.option("--warehouse", help="The DuckDB file to read, where there is no profiles.yml yet.")
@click.option(
    "--schedule",
    type=click.Choice(["snowflake"]),
    help="Print the SQL of a task that runs the job inside Snowflake; write nothing.",
)
def command(  # noqa: PLR0913 - one argument per flag
    *,
    project_dir: Path,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
    warehouse: str | None,
    schedule: str | None,
) -> None:
    """Write a destination and a first model.

    In a dbt project, or in an empty folder or one with a DuckDB file. Overwrites nothing: profiles.yml only
    gets the lines that are missing. The destination is a sandbox: a Klaviyo stand-in on this machine that
    needs no key.
    """
    asked = Asked(project_dir, profiles_dir, profile, target, NO_VARS, None)
    if schedule is not None:
        show.line(snowflake_task(asked.load_target()))
        return
    path = _profiles(asked, warehouse)
    _model(replace(asked, profiles_dir=path.parent))
    place = project_dir.resolve()
    if any((folder / ".git").exists() for folder in (place, *place.parents)):
        left = "*.reverse_etl.duckdb*, klaviyo_sandbox.sqlite*"
        show.line(f"keep out of git what a run leaves with people in it: {left}")
    flags = _flags(project_dir, profiles_dir, profile, target)
    show.line(f"\nNext: reverse-etl debug{flags}, then reverse-etl plan{flags}")


def _flags(project_dir: Path, profiles_dir: Path | None, profile: str | None, target: str | None) -> str:
    """Return the flags that the next command needs too, each after a blank."""
    given = {
        "--project-dir": "" if project_dir == Path() else str(project_dir),
        "--profiles-dir": str(profiles_dir or ""),
        "--profile": profile or "",
        "--target": target or "",
    }
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in given.items() if value)


def _profiles(asked: Asked, warehouse: str | None) -> Path:
    """Give profiles.yml a destination, or write one; returns where it is."""
    try:
        path = find_profiles(asked.project_dir, asked.profiles_dir, os.environ)
    except UsageError:
        if asked.profiles_dir or os.environ.get("DBT_PROFILES_DIR"):
            raise
        return _write_profiles(asked, warehouse)
    if _is_anothers(path, asked):
        return _write_profiles(asked, warehouse)
    if warehouse:
        raise UsageError.of(
            "There is a profiles.yml already, which says what the warehouse is.",
            where="--warehouse",
            advice=f"Leave the flag out, or write the path into {shown(path)}.",
        )
    name, target = _chosen(path, asked)
    try:
        changed = with_destination(path.read_bytes().decode("utf-8"), name, target)
    except (ValueError, KeyError, yaml.YAMLError):
        raise UsageError.of(
            f"The profile {name} is not written line by line, so that none can be added to it.",
            where=shown(path),
            advice=f"Add this to it yourself, beside outputs: destinations: {{{target}: {SANDBOX}}}",
        ) from None
    if changed is None:
        show.line(f"{shown(path)} has a destination for {name}.{target} already")
    else:
        path.write_bytes(changed.encode("utf-8"))
        show.line(f"wrote {shown(path)}: a sandbox as the destination of {name}.{target}")
    return path


def _is_anothers(path: Path, asked: Asked) -> bool:
    """Return whether only the home folder has a profile, and this folder a warehouse of its own."""
    alone = not (asked.profile or asked.profiles_dir or (asked.project_dir / "dbt_project.yml").exists())
    return alone and path.parent == Path.home() / ".dbt" and bool(_warehouses(asked.project_dir))


def _warehouses(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.duckdb") if ".reverse_etl." not in path.name)


def _write_profiles(asked: Asked, warehouse: str | None) -> Path:
    folder = asked.project_dir
    files = _warehouses(folder)
    project = read_dbt_project(folder, environ=os.environ, cli_vars={})
    if project and not (files or warehouse):
        raise UsageError.of(
            "This dbt project has no profiles.yml, and no DuckDB file lies in it.",
            where=shown(folder),
            advice="Write the profile that dbt needs first, or name a DuckDB file: "
            "reverse-etl init --warehouse FILE",
        )
    chosen = warehouse or (files[0].name if files else "warehouse.duckdb")
    if len(files) > 1 and not warehouse:
        others = ", ".join(path.name for path in files[1:])
        talk.warn(f"There are other DuckDB files ({others}); --warehouse names the one to read.")
    path = folder / FILE
    name = asked.profile or (project.profile if project else "") or _profile_name(folder)
    path.write_text(new_profiles(name, chosen, asked.target or "trial"), encoding="utf-8")
    show.line(f"wrote {shown(path)}: the warehouse {chosen}, and a sandbox as the destination")
    return path


def _profile_name(folder: Path) -> str:
    name = "".join(c if c.isalnum() else "_" for c in folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"shop_{name}".strip("_")


def _chosen(path: Path, asked: Asked) -> tuple[str, str]:
    """Return the profile and the target that the destination is for: as dbt would choose them."""
    profiles: dict[str, dict[str, Any]] = {
        str(key): value
        for key, value in read_yaml(path).content.items()
        if isinstance(value, dict) and isinstance(value.get("outputs"), dict) and value["outputs"]
    }
    project = read_dbt_project(asked.project_dir, environ=os.environ, cli_vars={})
    name = asked.profile or (project.profile if project else None)
    name = name or (next(iter(profiles)) if len(profiles) == 1 else "")
    if name not in profiles:
        raise UsageError.of(
            f"There is no profile {name} to add a destination to." if name else "There are several profiles.",
            where=shown(path),
            advice=f"Choose one with --profile: {', '.join(profiles)}",
        )
    outputs = [str(output) for output in profiles[name]["outputs"]]
    written = str(profiles[name].get("target", ""))
    target = asked.target or os.environ.get("DBT_TARGET") or (written if written in outputs else outputs[0])
    if target not in outputs:
        raise UsageError.of(
            f"The profile {name} has no target {target}.",
            where=shown(path),
            advice=f"Choose one with --target: {', '.join(outputs)}",
        )
    return name, target


def _model(asked: Asked) -> None:
    """Write a first model, unless there are models."""
    folder = models_folder(asked.project_dir)
    if any(folder.rglob("*.sql")):
        show.line(f"{shown(folder)} has models already")
        return
    source = _source(asked)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "first_list.sql"
    path.write_text(first_model(source, LIST), encoding="utf-8")
    if source is None:
        show.line(
            f"wrote {shown(path)}: no table with an e-mail was seen, so its table is a guess; change it"
        )
    else:
        show.line(
            f"wrote {shown(path)}: everyone in {source.table} with an e-mail; change it to what you need"
        )


def _source(asked: Asked) -> Source | None:
    """Return a table of people in the warehouse that `ref` finds; None where none is to be seen."""
    tables: dict[str, list[str]] = {}
    try:
        target = asked.load_target()
        output, relations = target.output, relations_of(target, _manifest(asked.project_dir))
        with closing(open_warehouse(output, read_only=True)) as warehouse, warehouse.staging():
            for table, column in warehouse.fetch(Statement.read(_COLUMNS, (output.schema,))):
                tables.setdefault(table, []).append(column)
    except ReverseEtlError as error:
        talk.warn(f"The warehouse could not be looked into. {error.problems[0].what}")
        return None
    return likeliest({table: columns for table, columns in tables.items() if _refers(relations, table)})


def _manifest(folder: Path) -> Path | None:
    project = read_dbt_project(folder, environ=os.environ, cli_vars={})
    if project and not project.manifest.is_file():
        talk.warn("dbt has left no manifest yet, so that a table may be none of its models. Run: dbt parse")
    return project.manifest if project else None


def _refers(relations: Relations, table: str) -> bool:
    try:
        relations.ref(table, None, None)
    except ContextError:
        return False
    return True
