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
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from reverse_etl.config.people_table import PeopleTable
    from reverse_etl.config.target import Target
    from reverse_etl.models.relations import Relations
    from reverse_etl.warehouse.interface import Warehouse

_TEXT_TYPES = ("VARCHAR", "TEXT", "CHAR", "STRING")
_SAMPLE_ROWS = 200
_UNSAFE_IN_JINJA: Final = re.compile(r"['\\{}\r\n]")  # a name with one could end its quotes, or begin Jinja
_COLUMNS_SQL = (
    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
    "WHERE LOWER(table_schema) IN ({}) ORDER BY table_schema, table_name, ordinal_position"
)


def search_people_table(target: Target, project_dir: Path, name: str = "") -> PeopleTable | None:
    """Return a table of people in the warehouse that `ref` can find, or None.

    With a name, only that table counts. Tables and columns whose names a model cannot safely contain are left
    out. Raises ReverseEtlError if the warehouse or dbt's manifest can't be read.
    """
    manifest = _find_manifest(project_dir)
    relations = load_relations(target, manifest)
    default_schema = target.output.schema
    with closing(open_warehouse(target.output, read_only=True)) as warehouse, warehouse.staging():
        columns = _read_columns(warehouse, {default_schema, *relations.schemas})
        tables = {
            table: (schema, table_columns)
            for (schema, table), table_columns in columns.items()
            if (not name or table.lower() == name.lower())
            and _is_referable(relations, schema, table, default_schema)
        }
        people_table = find_people_table(
            {table: table_columns for table, (_, table_columns) in tables.items()},
            lambda table, texts: _find_email_column(warehouse, tables[table][0], table, texts),
        )
    if people_table is not None and manifest is None and is_dbt_project(project_dir):
        terminal.warn("There is no dbt manifest yet, so the table may not be a dbt model. Run: dbt parse")
    return people_table


def _read_columns(warehouse: Warehouse, schemas: Collection[str]) -> dict[tuple[str, str], list[TableColumn]]:
    """Return the columns by schema and table, without names that a model cannot safely contain."""
    names = sorted({schema.lower() for schema in schemas})
    statement = Statement.read(_COLUMNS_SQL.format(", ".join("?" for _ in names)), tuple(names))
    columns: dict[tuple[str, str], list[TableColumn]] = {}
    for schema, table, column, data_type in warehouse.fetch(statement):
        if not _UNSAFE_IN_JINJA.search(f"{table}{column}"):
            is_text = str(data_type).upper().startswith(_TEXT_TYPES)
            columns.setdefault((schema, table), []).append(TableColumn(column, is_text))
    return columns


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


def _is_referable(relations: Relations, schema: str, table: str, default_schema: str) -> bool:
    """Return whether `ref` of the table's name leads to this schema."""
    try:
        relation = relations.ref(table, None, None)
    except ContextError:
        return False
    return (relation.schema or default_schema).lower() == schema.lower()
