"""Stage: run each model once inside the warehouse and keep its rows, canonical and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import ModelError, ReverseEtlError, WarehouseError
from reverse_etl.klaviyo.serialize import unfit_column
from reverse_etl.planning.sql import staging
from reverse_etl.warehouse.model_tables import Shape
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from reverse_etl.domain.columns import Column
    from reverse_etl.models.model import Model
    from reverse_etl.warehouse.interface import Warehouse

_ABOVE = 1  # lines of the query that describes a model, before its own first line
_CUT = "..."  # where DuckDB shows a long line in part
_DUCKDB = re.compile(r"^LINE (?P<line>\d+): (?P<shown>.*)\n(?P<before> *)\^", re.MULTILINE)
_SNOWFLAKE = re.compile(r"error line (?P<line>\d+) at position (?P<column>\d+)")


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
    count = Statement.read(f"SELECT COUNT(*) FROM {warehouse.dialect.passing(shape.staged)}")
    rows = int(warehouse.fetch(count)[0][0])
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
            where=blamed(model, str(error.__cause__)),
            advice=f"See the SQL that was run: reverse-etl compile --select {model.name}",
            models=(model.name,),
        ) from error
    unfit = (unfit_column(part.property, columns[part.column.lower()]) for part in model.payload)
    if problems := [
        replace(problem, where=f"{model.path}", models=(model.name,)) for problem in unfit if problem
    ]:
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
            models=(model.name,),
        ) from error


def blamed(model: Model, complaint: str) -> str:
    """Return the file, line and column that a warehouse complains of when it describes a model.

    DuckDB shows the line, or some of it, and marks the place below; Snowflake counts, from line 1 and column
    0. The file alone where neither says anything of the model's own text.
    """
    if found := _SNOWFLAKE.search(complaint):
        return model.place(int(found["line"]) - _ABOVE, int(found["column"]) + 1)
    found = _DUCKDB.search(complaint)
    if found is None:
        return f"{model.path}"
    line = int(found["line"]) - _ABOVE
    lines = model.sql.split("\n")
    written = lines[line - 1] if 1 <= line <= len(lines) else ""
    marked = len(found["before"]) - len(f"LINE {found['line']}: ")
    cut = len(_CUT) if found["shown"].startswith(_CUT) else 0
    begins = written.find(found["shown"][cut:].removesuffix(_CUT))
    return model.place(line, begins + marked - cut + 1 if begins >= 0 else None)
