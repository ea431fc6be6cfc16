"""Statements that stage a model: its rows in canonical form, each with the first check that it fails.

Scratch columns: `retl_list` (the list's name in the row, '' where the model has one list), `retl_identity`, one `retl_<type>` per
identifier, one `retl_omits_<type>` per secondary one (whether it is left out of what is sent), `retl_problem` and `retl_detail` (NULL for
a good row), then the payload under its own names.

Literals are cast to VARCHAR: a warehouse may make a column as wide as the query's literals, and then refuse longer texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql.identifiers import (
    CANONICAL_PATTERNS,
    as_text_sql,
    canonical_sql,
    email_invisible_sql,
    email_malformed_sql,
    email_too_long_sql,
    id_too_long_sql,
    is_canonical_sql,
    phone_has_trunk_zero_sql,
    phone_invisible_sql,
    phone_malformed_sql,
    row_key_sql,
)
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables, omit_flag_column
from reverse_etl.warehouse.statement import Statement, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect


def stage_rows(
    dialect: Dialect,
    tables: ModelTables,
    select: str,
    identifiers: Mapping[IdentifierType, Column],
    list_column: str | None,
) -> Statement:
    """Run the model once and store its rows, canonical and checked row by row."""
    model_columns = [
        f"{quote_identifier(list_column)} AS retl_list_raw" if list_column else "'' AS retl_list_raw",
        *(
            f"{_canonical_value_sql(dialect, kind, identifiers[kind])} AS {column}"
            if kind in identifiers
            else f"CAST(NULL AS VARCHAR) AS {column}"
            for kind, column in IDENTIFIER_COLUMNS.items()
        ),
        *(_canonical_flag(kind) for kind in CANONICAL_PATTERNS if kind in identifiers),
        *_raw_phone_checks(dialect, identifiers),
        *tables.payload_columns,
    ]
    canonical_flags = "".join(
        f", {is_canonical_sql(dialect, kind, identifiers[kind])} AS {_canonical_flag(kind)}"
        for kind in CANONICAL_PATTERNS
        if kind in identifiers
    )
    payload = "".join(f", {dialect.stored_column_sql(column)}" for column in tables.payload)
    omit_flags = "".join(f", FALSE AS {omit_flag_column(kind)}" for kind in tables.secondary_identifiers)
    list_name = "NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '')" if list_column else "CAST('' AS VARCHAR)"
    problem = f"CAST({_first_problem_sql(dialect, tables, list_name)} AS VARCHAR)"
    return Statement.create(
        dialect.temp_table(tables.staged),
        f"{dialect.create_temp_table_sql(tables.staged)} AS\n"
        f"SELECT {list_name} AS retl_list,\n"
        f"  {_identity_sql(tables)} AS retl_identity,\n"
        f"  {', '.join(IDENTIFIER_COLUMNS.values())}{omit_flags},\n"
        f"  {problem} AS retl_problem,\n"
        f"  CAST({_detail_sql(dialect, tables)} AS VARCHAR) AS retl_detail{payload}\n"
        f"FROM (\n  SELECT {', '.join(model_columns)}\n"
        f"  FROM (SELECT *{canonical_flags} FROM (\n{select}\n  ) AS retl_model) AS retl_looked_at\n) AS retl_rows",
    )


def mark_still_rejected(dialect: Dialect, tables: ModelTables, checksum: str) -> Statement:
    """Reject the rows that Klaviyo refused before, if row, model and config are unchanged."""
    staged_values, rejected_values = (
        comparable_values_sql(dialect, tables, "s."),
        comparable_values_sql(dialect, tables, "r."),
    )
    staged_values |= {str(name): value for name, value in tables.sent_identifiers_sql("s").items()}
    is_unchanged = " AND ".join(
        f"{staged_values[name]} IS NOT DISTINCT FROM {rejected_value}"
        for name, rejected_value in rejected_values.items()
    )
    table = dialect.temp_table(tables.staged)
    return Statement.change(
        table,
        f"UPDATE {table} AS s SET retl_problem = {quote_literal(RowProblem.STILL_REJECTED)}\n"
        f"FROM {dialect.state_table(tables.rejected)} AS r, {dialect.temp_table(tables.lists)} AS l\n"
        f"WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id\n"
        f"AND s.retl_identity = r.retl_identity AND r.retl_checksum = ? AND {is_unchanged}",
        (checksum,),
    )


def select_list_names(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return the distinct list names in the rows, sorted."""
    return Statement.read(
        f"SELECT DISTINCT retl_list FROM {dialect.temp_table(tables.staged)} WHERE retl_list IS NOT NULL ORDER BY retl_list"
    )


def replace_list_ids(dialect: Dialect, tables: ModelTables, ids: Mapping[str, str]) -> tuple[Statement, ...]:
    """Store the id of each list by its name in the rows, for the diff to join."""
    table = dialect.temp_table(tables.lists)
    columns = "retl_list VARCHAR, retl_list_id VARCHAR"
    create_table = Statement.create(table, f"{dialect.replace_temp_table_sql(tables.lists)} ({columns})")
    if not ids:
        return (create_table,)
    placeholders = ", ".join("(?, ?)" for _ in ids)
    values = tuple(value for pair in sorted(ids.items()) for value in pair)
    return (create_table, Statement.insert(table, f"INSERT INTO {table} VALUES {placeholders}", values))


def count_staged_rows(dialect: Dialect, tables: ModelTables) -> Statement:
    """Return (list name, problem or NULL, rows) for what was staged."""
    return Statement.read(
        f"SELECT retl_list, retl_problem, COUNT(*) FROM {dialect.temp_table(tables.staged)} "
        f"GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem"
    )


def comparable_values_sql(dialect: Dialect, tables: ModelTables, prefix: str) -> dict[str, str]:
    """Return, by name, the value of each identifier and payload column as it can be compared."""
    identifiers: dict[str, str] = {column: prefix + column for column in IDENTIFIER_COLUMNS.values()}
    payload = {
        column.name: dialect.comparable_sql(prefix + quote_identifier(column.name), column)
        for column in tables.payload
    }
    return identifiers | payload


def _identity_sql(tables: ModelTables) -> str:
    if tables.key:
        return row_key_sql(tables.key)
    cases = " ".join(
        f"WHEN {IDENTIFIER_COLUMNS[kind]} IS NOT NULL THEN {quote_literal(kind + ':')} || {IDENTIFIER_COLUMNS[kind]}"
        for kind in tables.identifiers
    )
    return f"CASE {cases} END"


def _first_problem_sql(dialect: Dialect, tables: ModelTables, list_name: str) -> str:
    tests: list[tuple[str, RowProblem]] = []
    if tables.many_lists:
        tests.append((f"{list_name} IS NULL", RowProblem.NO_LIST))
    if tables.key:
        tests.append((f"{row_key_sql(tables.key)} IS NULL", RowProblem.NO_KEY))
    if tables.identifiers:
        tests.append(
            (
                " AND ".join(f"{IDENTIFIER_COLUMNS[kind]} IS NULL" for kind in tables.identifiers),
                RowProblem.NO_IDENTIFIER,
            )
        )
    if IdentifierType.EMAIL in tables.identifiers:
        email = IDENTIFIER_COLUMNS[IdentifierType.EMAIL]
        tests += [
            (
                _unless_canonical_sql(IdentifierType.EMAIL, email_too_long_sql(email)),
                RowProblem.EMAIL_TOO_LONG,
            ),
            (
                _unless_canonical_sql(IdentifierType.EMAIL, email_invisible_sql(dialect, email)),
                RowProblem.EMAIL_INVISIBLE,
            ),
            (
                _unless_canonical_sql(IdentifierType.EMAIL, email_malformed_sql(dialect, email)),
                RowProblem.EMAIL_MALFORMED,
            ),
        ]
    if IdentifierType.PHONE in tables.identifiers:
        phone = phone_malformed_sql(dialect, IDENTIFIER_COLUMNS[IdentifierType.PHONE])
        tests += [
            ("retl_phone_invisible", RowProblem.PHONE_INVISIBLE),
            ("retl_phone_trunk_zero", RowProblem.PHONE_TRUNK_ZERO),
            (_unless_canonical_sql(IdentifierType.PHONE, phone), RowProblem.PHONE_MALFORMED),
        ]
    tests += [
        (id_too_long_sql(IDENTIFIER_COLUMNS[kind]), RowProblem.ID_TOO_LONG)
        for kind in (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID)
        if kind in tables.identifiers
    ]
    tests += [(test, RowProblem.INFINITE_TIME) for test in _infinite_time_tests(dialect, tables).values()]
    return (
        "CASE " + " ".join(f"WHEN {test} THEN {quote_literal(problem)}" for test, problem in tests) + " END"
    )


def _infinite_time_tests(dialect: Dialect, tables: ModelTables) -> dict[str, str]:
    """Return, by column, whether its date or time is infinite."""
    tests = ((column.name, dialect.is_infinite_time_sql(column)) for column in tables.payload)
    return {name: test for name, test in tests if test is not None}


def _detail_sql(dialect: Dialect, tables: ModelTables) -> str:
    """Return the first column whose date or time is infinite; other checks of single rows need no detail."""
    tests = _infinite_time_tests(dialect, tables)
    if not tests:
        return "NULL"
    return (
        "CASE " + " ".join(f"WHEN {test} THEN {quote_literal(name)}" for name, test in tests.items()) + " END"
    )


def _raw_phone_checks(dialect: Dialect, identifiers: Mapping[IdentifierType, Column]) -> tuple[str, ...]:
    """Return the checks of a phone as the model has it; its canonical form no longer shows what they look for."""
    column = identifiers.get(IdentifierType.PHONE)
    if column is None:
        return ()
    invisible = _unless_canonical_sql(IdentifierType.PHONE, phone_invisible_sql(dialect, column))
    trunk_zero = _unless_canonical_sql(IdentifierType.PHONE, phone_has_trunk_zero_sql(dialect, column))
    return (f"{invisible} AS retl_phone_invisible", f"{trunk_zero} AS retl_phone_trunk_zero")


def _canonical_value_sql(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    full_expression = canonical_sql(dialect, kind, column)
    return (
        f"CASE WHEN {_canonical_flag(kind)} THEN {as_text_sql(column)} ELSE {full_expression} END"
        if kind in CANONICAL_PATTERNS
        else full_expression
    )


def _unless_canonical_sql(kind: IdentifierType, test: str) -> str:
    # Only CASE skips what it does not need; AND may evaluate both sides.
    return f"CASE WHEN {_canonical_flag(kind)} THEN FALSE ELSE {test} END"


def _canonical_flag(kind: IdentifierType) -> str:
    return f"retl_plain_{kind}"
