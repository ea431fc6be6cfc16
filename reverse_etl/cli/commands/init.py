"""`reverse-etl init`: write the first files, and print the next command."""

from __future__ import annotations

import glob
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.commands.init_dbt import show_meta, write_dbt_source
from reverse_etl.cli.commands.init_profiles import ensure_destination
from reverse_etl.cli.commands.init_tables import is_dbt_project, search_people_table
from reverse_etl.cli.options import NO_VARS, ProjectFlags
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.model_templates import (
    fill_people,
    has_own_requests,
    model_template_names,
    read_model_template,
    reads_people,
)
from reverse_etl.config.scaffold import render_first_model
from reverse_etl.errors import ReverseEtlError, UsageError
from reverse_etl.formatting import format_path
from reverse_etl.models.discovery import models_folder
from reverse_etl.warehouse.factory import SCHEDULES, find_warehouse_file

if TYPE_CHECKING:
    from reverse_etl.config.people_table import PeopleTable

FIRST_LIST_NAME = "My first list"
_PERSONAL_DATA = ("*.reverse_etl.duckdb*", "klaviyo_sandbox.sqlite*", "target/")


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
    type=click.Choice([*SCHEDULES]),
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
    help="Write this ready model, and nothing else.",
)
@click.option(
    "--dbt-source",
    is_flag=True,
    help="Write a dbt source of the state's tables, such as the journal, and nothing else.",
)
@click.option(
    "--from-dbt",
    metavar="MODEL",
    help="Print the YAML that sends this dbt model to a list; write nothing.",
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
    dbt_source: bool,
    from_dbt: str | None,
) -> None:
    """Create a destination and a first model.

    Run it in a dbt project, in a folder with a DuckDB file, or in an empty folder. It overwrites nothing, and
    adds only the missing lines to profiles.yml. The destination is a sandbox: a local stand-in for Klaviyo
    that needs no key.
    """
    project_flags = ProjectFlags(project_dir, profiles_dir, profile, target, NO_VARS, None)
    modes = {
        "--schedule": schedule is not None,
        "--template": template is not None,
        "--from-dbt": from_dbt is not None,
        "--dbt-source": dbt_source,
    }
    if sum(modes.values()) > 1:
        raise click.UsageError(
            "--schedule, --template, --from-dbt and --dbt-source conflict: each does one thing."
        )
    if after is not None and schedule is None:
        raise click.UsageError("--after needs --schedule.")
    if warehouse is not None and any(modes.values()):
        mode = next(flag for flag, is_set in modes.items() if is_set)
        raise click.UsageError(f"--warehouse is for a new profiles.yml: remove it, or {mode}.")
    if schedule is not None:
        show.print_text(SCHEDULES[schedule](project_flags.load_target(), after))
        return
    if template is not None:
        _write_template(project_flags, template)
        return
    if from_dbt is not None:
        show_meta(project_flags, from_dbt, FIRST_LIST_NAME)
        return
    if dbt_source:
        write_dbt_source(project_flags)
        return
    chosen_flags = ensure_destination(project_flags, warehouse)
    next_step = _write_first_model(chosen_flags)
    project_path = project_dir.resolve()
    if any((folder / ".git").exists() for folder in (project_path, *project_path.parents)):
        _ignore_personal_data(chosen_flags)
    flags = _format_flags(project_dir, profiles_dir, profile, chosen_flags.target)
    show.print_line(f"\nNext: {next_step or f'reverse-etl debug{flags}, then reverse-etl plan{flags}'}")


def _ignore_personal_data(project_flags: ProjectFlags) -> None:
    """Add the files that hold personal data to the project's .gitignore, unless it has them."""
    path = project_flags.project_dir / ".gitignore"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [line.strip().lstrip("/") for line in text.splitlines()]
    missing = [pattern for pattern in _PERSONAL_DATA if not {pattern, pattern.rstrip("/")} & {*lines}]
    warehouse_file = _find_warehouse_file(project_flags)
    if warehouse_file and not any(fnmatch(warehouse_file, line) for line in lines):
        missing.insert(0, f"/{glob.escape(warehouse_file)}*")
    if missing:
        gap = "" if not text or text.endswith("\n") else "\n"
        path.write_text(text + gap + "".join(f"{pattern}\n" for pattern in missing), encoding="utf-8")
        show.print_line(f"added the files that hold personal data to {format_path(path)}")


def _find_warehouse_file(project_flags: ProjectFlags) -> str:
    """Return the warehouse's path in the project's folder, or '' if it is elsewhere or no file."""
    folder = project_flags.project_dir.resolve()
    path = find_warehouse_file(project_flags.load_target().output)
    is_inside = path is not None and path.resolve().is_relative_to(folder)
    return path.resolve().relative_to(folder).as_posix() if path is not None and is_inside else ""


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


def _write_template(project_flags: ProjectFlags, template: str) -> None:
    """Write a ready model; one of people reads the table of people in the warehouse, if there is one."""
    path = models_folder(project_flags.project_dir) / f"{template}.sql"
    if path.exists():
        raise UsageError.of(
            "The model exists already.",
            where=format_path(path),
            hint="Rename it, or delete it to start again from the ready model.",
        )
    text = read_model_template(template)
    source = _find_source(project_flags) if reads_people(text) else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if source is None else fill_people(text, *source), encoding="utf-8")
    advice = f"reads {source[0].table}; adapt it" if source else "change the names of its table and columns"
    show.print_line(f"wrote {format_path(path)}: {advice}")
    next_command = "debug --request" if has_own_requests(text) else "plan --select"
    show.print_line(f"\nNext: reverse-etl {next_command} {template}")


def _find_source(project_flags: ProjectFlags) -> tuple[PeopleTable, bool] | None:
    """Return a table of people, and whether its engine folds names to upper case; None without one."""
    try:
        target = project_flags.load_target()
        source = search_people_table(target, project_flags.project_dir)
    except ReverseEtlError:
        return None  # without a profile or a warehouse the model is an example
    return None if source is None else (source, target.output.type.folds_to_upper_case)


def _write_first_model(project_flags: ProjectFlags) -> str:
    """Write a first model, unless there are models already, or no table that it could read.

    Returns what the user has to do before there is a model; '' if there is one.
    """
    folder = models_folder(project_flags.project_dir)
    if any(folder.rglob("*.sql")):
        show.print_line(f"{format_path(folder)} already has models")
        return ""
    target = project_flags.load_target()
    path = folder / "first_list.sql"
    try:
        source = search_people_table(target, project_flags.project_dir)
    except ReverseEtlError as error:
        terminal.warn(f"Could not read the warehouse, so wrote no model. {error.problems[0].summary}")
        build = "dbt build, or " if is_dbt_project(project_flags.project_dir) else ""
        return f"{build}correct the output in {format_path(target.path)}, then: reverse-etl init"
    if source is None:
        show.print_line("found no table of people, so wrote no model")
        return f"write {format_path(path)}, or begin with a ready model: reverse-etl init --template join"
    folder.mkdir(parents=True, exist_ok=True)
    text = render_first_model(
        source, FIRST_LIST_NAME, folds_to_upper_case=target.output.type.folds_to_upper_case
    )
    path.write_text(text, encoding="utf-8")
    identifier = "an e-mail" if source.email else "an id, since it has no e-mails"
    show.print_line(
        f"wrote {format_path(path)}: selects everyone in {source.table} with {identifier}; adapt it"
    )
    return ""
