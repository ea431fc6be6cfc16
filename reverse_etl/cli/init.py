"""`reverse-etl init`: the first files, and the next command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reverse_etl.cli.talk import talk
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import UsageError
from reverse_etl.models.compile import models_folder
from reverse_etl.places import shown
from reverse_etl.profiles.load import FILE, find_profiles, load_target
from reverse_etl.sql.text import Statement
from reverse_etl.starter import SANDBOX, Source, first_model, likeliest, new_profiles, with_destination
from reverse_etl.warehouse.choose import open_warehouse
from reverse_etl.yaml_file import read_yaml

LIST = "My first list"


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
def command(
    project_dir: Path,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
    warehouse: str | None,
) -> None:
    """Write a `destinations` entry and a first model, in a dbt project or an empty folder. Overwrites nothing.

    The destination is a sandbox: a Klaviyo stand-in on this machine that needs no key.
    """
    path = _profiles(project_dir, profiles_dir, profile, target, warehouse)
    model = _model(project_dir, path.parent, profile, target)
    if model is not None:
        click.echo(f"wrote {shown(model)}: a list of everyone with an e-mail; change it to what you need")
    click.echo("\nNext: reverse-etl debug, then reverse-etl plan")


def _profiles(
    project_dir: Path,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
    warehouse: str | None,
) -> Path:
    try:
        path = find_profiles(project_dir, profiles_dir, os.environ)
    except UsageError:
        if (project_dir / "dbt_project.yml").exists():
            raise
        return _write_profiles(project_dir, warehouse)
    name, target = _chosen(path, project_dir, profile, target)
    text = path.read_text(encoding="utf-8")
    try:
        changed = with_destination(text, name, target)
    except (ValueError, KeyError):
        raise UsageError.of(
            f"The profile {name} can't be edited line by line.",
            where=shown(path),
            advice=f"Add this to it yourself, beside `outputs`: destinations: {{{target}: {SANDBOX}}}",
        ) from None
    if changed is None:
        click.echo(f"{shown(path)} has a destination for {target} already")
    else:
        path.write_text(changed, encoding="utf-8")
        click.echo(f"wrote {shown(path)}: a sandbox as the destination of {name}.{target}")
    return path


def _write_profiles(project_dir: Path, warehouse: str | None) -> Path:
    files = sorted(path for path in project_dir.glob("*.duckdb") if ".reverse_etl." not in path.name)
    chosen = warehouse or (files[0].name if files else "warehouse.duckdb")
    if not Path(chosen).exists() and not (project_dir / chosen).exists():
        talk.warn(
            f"There is no DuckDB file {chosen} yet; put its path into {FILE}, or give it with --warehouse."
        )
    path = project_dir / FILE
    path.write_text(new_profiles(_profile_name(project_dir), chosen), encoding="utf-8")
    click.echo(f"wrote {shown(path)}: the warehouse {chosen}, and a sandbox as the destination")
    return path


def _profile_name(project_dir: Path) -> str:
    name = "".join(c if c.isalnum() else "_" for c in project_dir.resolve().name.lower()).strip("_")
    return name or "shop"


def _chosen(path: Path, project_dir: Path, profile: str | None, target: str | None) -> tuple[str, str]:
    """Return the profile and the target that the destination is for: as dbt would choose them."""
    profiles = {
        key: value
        for key, value in read_yaml(path).content.items()
        if isinstance(value, dict) and "outputs" in value
    }
    project = read_dbt_project(project_dir, environ=os.environ, cli_vars={})
    name = (
        profile
        or (project.profile if project else None)
        or (next(iter(profiles)) if len(profiles) == 1 else None)
    )
    if name not in profiles:
        raise UsageError.of(
            f"There is no profile {name} to add a destination to." if name else "There are several profiles.",
            where=shown(path),
            advice=f"Choose one with --profile: {', '.join(profiles)}",
        )
    outputs = list(profiles[name]["outputs"])
    written = str(profiles[name].get("target", ""))
    return name, target or os.environ.get("DBT_TARGET") or (written if written in outputs else outputs[0])


def _model(project_dir: Path, profiles_dir: Path, profile: str | None, target: str | None) -> Path | None:
    folder = models_folder(project_dir)
    if any(folder.rglob("*.sql")):
        click.echo(f"{shown(folder)} has models already")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "first_list.sql"
    path.write_text(first_model(_source(project_dir, profiles_dir, profile, target), LIST), encoding="utf-8")
    return path


def _source(project_dir: Path, profiles_dir: Path, profile: str | None, target: str | None) -> Source | None:
    """Return a table of people in the warehouse; None where none is to be seen."""
    try:
        chosen = load_target(
            project_dir, profiles_dir=profiles_dir, profile=profile, target=target, environ=os.environ
        )
        warehouse = open_warehouse(chosen.output, read_only=True)
    except UsageError:
        return None
    try:
        with warehouse.staging():
            tables: dict[str, list[str]] = {}
            query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position"
            for table, column in warehouse.fetch(Statement(query, (chosen.output.schema,))):
                tables.setdefault(table, []).append(column)
        return likeliest(tables)
    except UsageError:
        return None
    finally:
        warehouse.close()
