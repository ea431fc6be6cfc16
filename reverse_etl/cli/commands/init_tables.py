"""Tables of people that `reverse-etl init` finds in the warehouse."""

from __future__ import annotations

import os
import re
from contextlib import closing
from typing import TYPE_CHECKING, Final

from reverse_etl.cli.output.console import terminal
from reverse_etl.config.people_table import TableColumn, find_people_table
from reverse_etl.dbt.project import read_dbt_project
from reverse_etl.errors import UsageError
from reverse_etl.models.relations import load_relations
from reverse_etl.parsing.jinja import ContextError
from reverse_etl.warehouse.factory import open_warehouse
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.config.people_table import PeopleTable
    from reverse_etl.config.target import Target
    from reverse_etl.models.relations import Relations
    from reverse_etl.warehouse.interface import Warehouse

_TEXT_TYPES = ("VARCHAR", "TEXT", "CHAR", "STRING")
_SAMPLE_ROWS = 200
_UNSAFE_IN_JINJA: Final = re.compile(r"['\\{}\r\n]")  # a name with one could end its quotes, or begin Jinja
_COLUMNS_SQL = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = ? "
    "ORDER BY table_name, ordinal_position"
)


def search_people_table(target: Target, project_dir: Path, name: str = "") -> PeopleTable | None:
    """Return a table of people in the warehouse that `ref` can find, or None.

    With a name, only that table counts. Tables and columns whose names a model cannot safely contain are left
    out. Raises ReverseEtlError if the warehouse or dbt's manifest can't be read.
    """
    columns: dict[str, list[TableColumn]] = {}
    manifest = _find_manifest(project_dir)
    relations = load_relations(target, manifest)
    with closing(open_warehouse(target.output, read_only=True)) as warehouse, warehouse.staging():
        for table, column, data_type in warehouse.fetch(
            Statement.read(_COLUMNS_SQL, (target.output.schema,))
        ):
            if _UNSAFE_IN_JINJA.search(f"{table}{column}"):
                continue
            is_text = str(data_type).upper().startswith(_TEXT_TYPES)
            columns.setdefault(table, []).append(TableColumn(column, is_text))
        tables = {
            table: table_columns
            for table, table_columns in columns.items()
            if (not name or table.lower() == name.lower()) and _can_reference(relations, table)
        }
        people_table = find_people_table(
            tables, lambda table, texts: _find_email_column(warehouse, target.output.schema, table, texts)
        )
    if people_table is not None and manifest is None and is_dbt_project(project_dir):
        terminal.warn("There is no dbt manifest yet, so the table may not be a dbt model. Run: dbt parse")
    return people_table


def is_dbt_project(folder: Path) -> bool:
    """Return whether the folder has a dbt project."""
    return read_dbt_project(folder, environ=os.environ, cli_vars={}) is not None


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
    except UsageError:  # dbt has not parsed the project yet
        return None


def _can_reference(relations: Relations, table: str) -> bool:
    try:
        relations.ref(table, None, None)
    except ContextError:
        return False
    return True
