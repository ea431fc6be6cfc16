"""`reverse-etl init`: write the first files, and print the next command."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.commands.init_profiles import ensure_destination
from reverse_etl.cli.options import NO_VARS, ProjectFlags
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.model_templates import (
    has_own_requests,
    model_template_names,
    read_model_template,
    render_dbt_source,
)
from reverse_etl.config.people_table import TableColumn, find_people_table
from reverse_etl.config.scaffold import render_first_model
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import ReverseEtlError, UsageError
from reverse_etl.formatting import format_path
from reverse_etl.models.discovery import models_folder
from reverse_etl.models.relations import load_relations
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.warehouse.factory import SCHEDULES, find_state_source, open_warehouse
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.config.people_table import PeopleTable
    from reverse_etl.config.target import Target
    from reverse_etl.models.relations import Relations
    from reverse_etl.warehouse.interface import Warehouse

FIRST_LIST_NAME = "My first list"
_PERSONAL_DATA = ("*.reverse_etl.duckdb*", "klaviyo_sandbox.sqlite*")
_TEXT_TYPES = ("VARCHAR", "TEXT", "CHAR", "STRING")
_SAMPLE_ROWS = 200
_COLUMNS_SQL = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = ? "
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
) -> None:
    """Create a destination and a first model.

    Run it in a dbt project, in a folder with a DuckDB file, or in an empty folder. It overwrites nothing, and
    adds only the missing lines to profiles.yml. The destination is a sandbox: a local stand-in for Klaviyo
    that needs no key.
    """
    project_flags = ProjectFlags(project_dir, profiles_dir, profile, target, NO_VARS, None)
    if after is not None and schedule is None:
        raise click.UsageError("--after needs --schedule.")
    if schedule is not None:
        show.print_text(SCHEDULES[schedule](project_flags.load_target(), after))
        return
    if template is not None:
        _write_template(project_dir, template)
        return
    if dbt_source:
        _write_dbt_source(project_flags)
        return
    chosen_flags = ensure_destination(project_flags, warehouse)
    next_step = _write_first_model(chosen_flags)
    project_path = project_dir.resolve()
    if any((folder / ".git").exists() for folder in (project_path, *project_path.parents)):
        _ignore_personal_data(project_dir / ".gitignore")
    flags = _format_flags(project_dir, profiles_dir, profile, chosen_flags.target)
    show.print_line(f"\nNext: {next_step or f'reverse-etl debug{flags}, then reverse-etl plan{flags}'}")


def _ignore_personal_data(path: Path) -> None:
    """Add the files that hold personal data to a .gitignore, unless it has them."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [pattern for pattern in _PERSONAL_DATA if pattern not in text.splitlines()]
    if missing:
        gap = "" if not text or text.endswith("\n") else "\n"
        path.write_text(text + gap + "".join(f"{pattern}\n" for pattern in missing), encoding="utf-8")
        show.print_line(f"wrote {format_path(path)}: it ignores the files that hold personal data")


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


def _write_template(project_dir: Path, template: str) -> None:
    path = models_folder(project_dir) / f"{template}.sql"
    if path.exists():
        raise UsageError.of(
            "The model exists already.",
            where=format_path(path),
            hint="Rename it, or delete it to start again from the ready model.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = read_model_template(template)
    path.write_text(text, encoding="utf-8")
    show.print_line(f"wrote {format_path(path)}: change the names of its table and columns")
    next_command = "debug --request" if has_own_requests(text) else "plan --select"
    show.print_line(f"\nNext: reverse-etl {next_command} {template}")


def _write_dbt_source(project_flags: ProjectFlags) -> None:
    """Write a dbt source of the state's tables into dbt's folder of models."""
    folder, target = project_flags.project_dir, project_flags.load_target()
    dbt_project = read_dbt_project(folder, environ=os.environ, cli_vars={})
    if dbt_project is None:
        raise UsageError.of(
            "The folder has no dbt project.",
            where=format_path(folder),
            hint="Run this in the folder of dbt_project.yml.",
        )
    path = folder / dbt_project.model_path / "reverse_etl_state.yml"
    if path.exists():
        raise UsageError.of(
            "The source exists already.", where=format_path(path), hint="Delete it to have it written again."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    source = find_state_source(target)
    path.write_text(render_dbt_source(source.database, source.schema), encoding="utf-8")
    show.print_line(f"wrote {format_path(path)}: the tables of the state as a source of dbt")
    journal_advice = (
        "" if target.destination.journal else "add to the destination in profiles.yml: journal: 90d"
    )
    steps = [step for step in (source.advice, journal_advice) if step]
    if steps:
        show.print_line(f"\nNext: {'; '.join(steps)}")


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
        source = _find_people_table(target, project_flags.project_dir)
    except ReverseEtlError as error:
        terminal.warn(f"Could not read the warehouse, so wrote no model. {error.problems[0].summary}")
        return f"correct the output in {format_path(target.path)}, then: reverse-etl init"
    if source is None:
        show.print_line("found no table of people, so wrote no model")
        return (
            f"write {format_path(path)}, or begin with a ready model: reverse-etl init --template list_column"
        )
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


def _find_people_table(target: Target, project_dir: Path) -> PeopleTable | None:
    """Return a table of people in the warehouse that `ref` can find, or None.

    Raises ReverseEtlError if the warehouse or dbt's manifest can't be read.
    """
    columns: dict[str, list[TableColumn]] = {}
    relations = load_relations(target, _find_manifest(project_dir))
    with closing(open_warehouse(target.output, read_only=True)) as warehouse, warehouse.staging():
        for table, column, data_type in warehouse.fetch(
            Statement.read(_COLUMNS_SQL, (target.output.schema,))
        ):
            is_text = str(data_type).upper().startswith(_TEXT_TYPES)
            columns.setdefault(table, []).append(TableColumn(column, is_text))
        tables = {table: found for table, found in columns.items() if _can_reference(relations, table)}
        return find_people_table(
            tables, lambda table, texts: _find_email_column(warehouse, target.output.schema, table, texts)
        )


def _find_email_column(warehouse: Warehouse, schema: str, table: str, texts: Sequence[str]) -> str:
    """Return the column of a table in which most of some values look like e-mails, or ''."""
    quote = warehouse.dialect.quote_column
    quoted = [quote(text) for text in texts]
    counts = ", ".join(
        f"COUNT(CASE WHEN POSITION('@' IN {column}) > 1 THEN 1 END), COUNT({column})" for column in quoted
    )
    (row,) = warehouse.fetch(
        Statement.read(
            f"SELECT {counts} FROM (SELECT {', '.join(quoted)} FROM {quote(schema)}.{quote(table)} "
            f"LIMIT {_SAMPLE_ROWS}) AS some_rows"
        )
    )
    shares = zip(texts, row[::2], row[1::2], strict=True)
    return next((text for text, emails, values in shares if values and emails > values / 2), "")


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
