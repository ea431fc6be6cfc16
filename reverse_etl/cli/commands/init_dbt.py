"""`reverse-etl init` in a dbt project: YAML that sends a dbt model, and a dbt source of the state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reverse_etl.cli.commands.init_tables import search_people_table
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.config.model_templates import render_dbt_source
from reverse_etl.config.scaffold import render_meta
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_path
from reverse_etl.warehouse.factory import find_state_source

if TYPE_CHECKING:
    from reverse_etl.cli.options import ProjectFlags


def write_dbt_source(project_flags: ProjectFlags) -> None:
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


def show_meta(project_flags: ProjectFlags, model: str, list_name: str) -> None:
    """Print the YAML that sends a dbt model to a list. Raises UsageError for one that cannot be sent."""
    target = project_flags.load_target()
    if read_dbt_project(project_flags.project_dir, environ=os.environ, cli_vars={}) is None:
        raise UsageError.of(
            "--from-dbt needs a dbt project.",
            where=format_path(project_flags.project_dir),
            hint="Run it beside dbt_project.yml, or write a model in SQL: reverse-etl init",
        )
    source = search_people_table(target, project_flags.project_dir, model)
    if source is None or not (source.email or source.id):
        raise UsageError.of(
            f"{model} is no table of people that dbt has built.",
            where="--from-dbt",
            hint="It has to be a model, seed or snapshot of dbt with a column of e-mails or ids. "
            f"If dbt has not built it: dbt build --select {model}",
        )
    show.print_text(render_meta(source, list_name))
    terminal.info(
        f"Put this into dbt's YAML, in the entry of {source.table} if there is one. Then: dbt parse, and "
        f"reverse-etl plan --select {source.table}"
    )
