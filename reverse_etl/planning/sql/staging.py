"""Statements that stage a model: its rows once, in canonical form, each with the first problem that keeps it from being sent.

Scratch columns: `retl_list` (the list's name in the row, '' where the model has one list), `retl_identity`, one `retl_<type>` per
identifier, one `retl_omits_<type>` per secondary one (whether it is left out of what is sent), `retl_problem` and `retl_detail` (NULL for
a good row), then the payload under its own names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.identifiers import (
    PLAIN,
    as_text,
    canonical,
    email_malformed,
    email_too_long,
    id_too_long,
    phone_malformed,
    plain,
)
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, Shape, omits
from reverse_etl.warehouse.statement import Dialect, Statement, literal, quote

if TYPE_CHECKING:
    from collections.abc import Mapping


def stage(
    dialect: Dialect,
    shape: Shape,
    select: str,
    identifiers: Mapping[IdentifierType, Column],
    list_column: str | None,
) -> Statement:
    """Run the model once and keep its rows, canonical and checked one by one."""
    inner = [
        f"{quote(list_column)} AS retl_list_raw" if list_column else "'' AS retl_list_raw",
        *(
            f"{_canonical(dialect, kind, identifiers[kind])} AS {column}"
            if kind in identifiers
            else f"CAST(NULL AS VARCHAR) AS {column}"
            for kind, column in IDENTIFIER_COLUMNS.items()
        ),
        *(_plain(kind) for kind in PLAIN if kind in identifiers),
        *(quote(name) for name in shape.payload_names),
    ]
    looks = "".join(
        f", {plain(dialect, kind, identifiers[kind])} AS {_plain(kind)}"
        for kind in PLAIN
        if kind in identifiers
    )
    payload = "".join(f", {column_as_kept(dialect, column)}" for column in shape.payload)
    omitted = "".join(f", FALSE AS {omits(kind)}" for kind in shape.secondary)
    list_name = "NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '')" if list_column else dialect.text("''")
    problem = dialect.text(_first_problem(dialect, shape, list_name))
    return Statement.create(
        dialect.passing(shape.staged),
        f"{dialect.create_passing(shape.staged)} AS\n"
        f"SELECT {list_name} AS retl_list,\n"
        f"  {_identity(shape)} AS retl_identity,\n"
        f"  {', '.join(IDENTIFIER_COLUMNS.values())}{omitted},\n"
        f"  {problem} AS retl_problem,\n"
        f"  CAST(NULL AS VARCHAR) AS retl_detail{payload}\n"
        f"FROM (\n  SELECT {', '.join(inner)}\n"
        f"  FROM (SELECT *{looks} FROM (\n{select}\n  ) AS retl_model) AS retl_looked_at\n) AS retl_rows",
    )


def column_as_kept(dialect: Dialect, column: Column) -> str:
    """Return a payload column in a type that the state's tables can hold on their own."""
    name = quote(column.name)
    match column.kind:
        case Kind.TEXT:
            return f"CAST({name} AS VARCHAR) AS {name}"
        case Kind.JSON if dialect.engine is Engine.SNOWFLAKE and column.type != dialect.kept_type(column):
            return f"CAST({_semi_structured(name, column)} AS {dialect.kept_type(column)}) AS {name}"
        case _:
            return name


def _semi_structured(name: str, column: Column) -> str:
    """Return a Snowflake column as a value that VARIANT takes: only objects and arrays are cast to it."""
    match column.type:
        case "GEOGRAPHY" | "GEOMETRY":
            return f"ST_ASGEOJSON({name})"
        case "VECTOR":
            return f"CAST({name} AS ARRAY)"
        case _:
            return name


def reject_standing(dialect: Dialect, shape: Shape, checksum: str) -> Statement:
    """Set aside the rows that Klaviyo refused before, if row, model and config are what they were."""
    sent, rejected = compared(dialect, shape, "s."), compared(dialect, shape, "r.")
    sent |= shape.sent_identifiers("s")
    equal = " AND ".join(f"{sent[name]} IS NOT DISTINCT FROM {was}" for name, was in rejected.items())
    table = dialect.passing(shape.staged)
    return Statement.change(
        table,
        f"UPDATE {table} AS s SET retl_problem = {literal(RowProblem.STANDING)}\n"
        f"FROM {dialect.kept(shape.rejected)} AS r, {dialect.passing(shape.lists)} AS l\n"
        f"WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id\n"
        f"AND s.retl_identity = r.retl_identity AND r.retl_checksum = ? AND {equal}",
        (checksum,),
    )


def list_names(dialect: Dialect, shape: Shape) -> Statement:
    """Return the lists that the rows name, in order."""
    return Statement.read(
        f"SELECT DISTINCT retl_list FROM {dialect.passing(shape.staged)} WHERE retl_list IS NOT NULL ORDER BY retl_list"
    )


def set_lists(dialect: Dialect, shape: Shape, ids: Mapping[str, str]) -> tuple[Statement, ...]:
    """Keep the id of each list under the name that rows use, for the diff to join."""
    table = dialect.passing(shape.lists)
    columns = "retl_list VARCHAR, retl_list_id VARCHAR"
    create = Statement.create(table, f"{dialect.recreate_passing(shape.lists)} ({columns})")
    if not ids:
        return (create,)
    rows = ", ".join("(?, ?)" for _ in ids)
    values = tuple(value for pair in sorted(ids.items()) for value in pair)
    return (create, Statement.insert(table, f"INSERT INTO {table} VALUES {rows}", values))


def staged_counts(dialect: Dialect, shape: Shape) -> Statement:
    """Return (list name, problem or NULL, rows) for what was staged."""
    return Statement.read(
        f"SELECT retl_list, retl_problem, COUNT(*) FROM {dialect.passing(shape.staged)} "
        f"GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem"
    )


def compared(dialect: Dialect, shape: Shape, prefix: str) -> dict[str, str]:
    """Return, by name, the value of each identifier and payload column as it can be compared."""
    identifiers = {name: prefix + dialect.name(name) for name in IDENTIFIER_COLUMNS.values()}
    payload = {
        column.name: dialect.comparable(prefix + quote(column.name), column) for column in shape.payload
    }
    return identifiers | payload


def _identity(shape: Shape) -> str:
    cases = " ".join(
        f"WHEN {IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {literal(kind + ':')} || {IDENTIFIER_COLUMNS[kind]}"
        for kind in shape.identifiers
    )
    return f"CASE {cases} END"


def _first_problem(dialect: Dialect, shape: Shape, list_name: str) -> str:
    tests: list[tuple[str, RowProblem]] = []
    if shape.many_lists:
        tests.append((f"{list_name} IS NULL", RowProblem.NO_LIST))
    tests.append(
        (
            " AND ".join(f"{IDENTIFIER_COLUMNS[kind]} IS NULL" for kind in shape.identifiers),
            RowProblem.NO_IDENTIFIER,
        )
    )
    if IdentifierType.EMAIL in shape.identifiers:
        email = IDENTIFIER_COLUMNS[IdentifierType.EMAIL]
        tests += [
            (_unless_plain(IdentifierType.EMAIL, email_too_long(email)), RowProblem.EMAIL_TOO_LONG),
            (
                _unless_plain(IdentifierType.EMAIL, email_malformed(dialect, email)),
                RowProblem.EMAIL_MALFORMED,
            ),
        ]
    if IdentifierType.PHONE in shape.identifiers:
        phone = phone_malformed(dialect, IDENTIFIER_COLUMNS[IdentifierType.PHONE])
        tests.append((_unless_plain(IdentifierType.PHONE, phone), RowProblem.PHONE_MALFORMED))
    tests += [
        (id_too_long(IDENTIFIER_COLUMNS[kind]), RowProblem.ID_TOO_LONG)
        for kind in (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID)
        if kind in shape.identifiers
    ]
    return "CASE " + " ".join(f"WHEN {test} THEN {literal(problem)}" for test, problem in tests) + " END"


def _canonical(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    slowly = canonical(dialect, kind, column)
    return f"CASE WHEN {_plain(kind)} THEN {as_text(column)} ELSE {slowly} END" if kind in PLAIN else slowly


def _unless_plain(kind: IdentifierType, test: str) -> str:
    # Only CASE leaves out what need not be worked out; AND may work out both sides.
    return f"CASE WHEN {_plain(kind)} THEN FALSE ELSE {test} END"


def _plain(kind: IdentifierType) -> str:
    return f"retl_plain_{kind}"
