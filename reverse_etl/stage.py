"""Stage: run each model once inside the warehouse and keep its rows, canonical and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.errors import ModelError, ReverseEtlError, WarehouseError
from reverse_etl.klaviyo.render import unfit_column
from reverse_etl.sql import staging
from reverse_etl.sql.shape import Shape
from reverse_etl.sql.text import Statement
from reverse_etl.surfaces import ListColumn

if TYPE_CHECKING:
    from reverse_etl.columns import Column
    from reverse_etl.models.model import Model
    from reverse_etl.warehouse import Warehouse


@dataclass(frozen=True)
class Staged:
    """A model whose rows lie in scratch tables, ready for the diff.

    `rows` counts what the model returned. `list_names` are the names that the rows use.
    """

    model: Model
    shape: Shape
    rows: int
    list_names: tuple[str, ...]


def stage(warehouse: Warehouse, model: Model, table_key: str) -> Staged:
    """Stage one model.

    Only inside `warehouse.staging()`. Raises ModelError when its columns are not what it was compiled to.
    """
    warehouse.tag(model=model.name)
    columns = described(warehouse, model)
    target = model.config.target
    list_column = columns[target.column.lower()].name if isinstance(target, ListColumn) else None
    identifiers = {kind: columns[name.lower()] for kind, name in model.config.identifiers.items()}
    payload = tuple(columns[part.column.lower()] for part in model.payload)
    shape = Shape(table_key, tuple(identifiers), payload, many_lists=list_column is not None)
    _run(warehouse, model, staging.stage(warehouse.dialect, shape, model.sql, identifiers, list_column))
    count = f"SELECT COUNT(*) FROM {warehouse.dialect.passing(shape.staged)}"
    rows = int(warehouse.fetch(Statement(count))[0][0])
    names = (
        tuple(name for (name,) in warehouse.fetch(staging.list_names(warehouse.dialect, shape)))
        if list_column
        else ("",)
    )
    return Staged(model, shape, rows, names)


def described(warehouse: Warehouse, model: Model) -> dict[str, Column]:
    """Return a model's output columns by lower-case name, without running it.

    Raises ModelError where it can't be run, or a column can't be what its name says.
    """
    try:
        columns = {column.name.lower(): column for column in warehouse.describe(model.sql)}
    except ReverseEtlError as error:
        raise ModelError.of(
            f"The warehouse can't run this model. {error.problems[0].what}",
            where=_place(model, str(error.__cause__)),
            advice=f"See the SQL that was run: reverse-etl compile --select {model.name}",
        ) from error
    unfit = (unfit_column(part.property, columns[part.column.lower()]) for part in model.payload)
    if problems := [replace(problem, where=f"{model.path}") for problem in unfit if problem]:
        raise ModelError(*problems)
    return columns


def _run(warehouse: Warehouse, model: Model, statement: Statement) -> None:
    """Run a model. Raises WarehouseError that names it, as for a value that can't be cast."""
    try:
        warehouse.execute(statement)
    except WarehouseError as error:
        raise WarehouseError.of(
            f"The warehouse began to run this model and could not go on. {error.problems[0].what}",
            where=f"{model.path}",
            advice=f"See the SQL that was run: reverse-etl compile --select {model.name}",
        ) from error


def _place(model: Model, complaint: str) -> str:
    """Return the file and line that a warehouse complains of.

    The file alone where it names no line of the query that describes the model.
    """
    named = re.search(r"(?:LINE|error line) (\d+)(?::| at)", complaint)  # as DuckDB and as Snowflake says it
    line = int(named.group(1)) - 1 if named else 0  # the query opens with a line of its own
    return f"{model.path}:{model.lines[line - 1]}" if 0 < line <= len(model.lines) else f"{model.path}"
