"""Rows that are rejected, or sent without an identifier, once they are staged: small side tables name them.

No staged row changes: `ModelTables.staged_rows` reads the staged table together with its side tables. A table
of marks has the list and the identity of each marked row, `retl_problem` and `retl_detail` if it is rejected,
and in `retl_omitted` the type of an identifier that is left out of what is sent. The table of refused lists
has, by the name of a list, the problem of all of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.warehouse.statement import Sql, Statement

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass
class RowMarks:
    """The side tables of a model's staged rows so far. All copies of a model's `ModelTables` share it.

    A side table counts from the moment when the statement that makes it is built. So a statement that is
    built later reads it, or fails.
    """

    tables: list[str] = field(default_factory=list)
    refused_lists: str = ""


def mark_rows(tables: ModelTables, select: str, parameters: tuple[Any, ...] = ()) -> Statement:
    """Return the statement that marks the rows of a query, which is built before and run next.

    The rows have to be valid: the marks of rows that are rejected already do not count.
    """
    name = f"marks_{len(tables.marks.tables) + 1}_{tables.table_key}"
    tables.marks.tables.append(name)
    return _replace_table(tables, name, select, parameters)


def refuse_lists(tables: ModelTables, select: str, parameters: tuple[Any, ...] = ()) -> Statement:
    """Return the statement that rejects all rows of the lists that a query returns with a problem."""
    tables.marks.refused_lists = f"refused_{tables.table_key}"
    return _replace_table(tables, tables.marks.refused_lists, select, parameters)


def count_marks(tables: ModelTables) -> Statement:
    """Return, of the marks that were made last, (rejected rows, rows without an identifier, identities of these)."""
    marks = tables.dialect.temp_table(tables.marks.tables[-1])
    return Statement.read(
        "SELECT COUNT(retl_problem), COUNT(retl_omitted),\n"
        f"COUNT(DISTINCT CASE WHEN retl_omitted IS NOT NULL THEN retl_identity END) FROM {marks}"
    )


def staged_rows_sql(tables: ModelTables) -> Sql:
    """Return the staged rows as they count: the staged table, joined with its side tables if it has some.

    Rows of a refused list name no list, and `retl_detail` has its name. A row may have several marks.
    """
    marks, temp_table = tables.marks, tables.dialect.temp_table
    staged = temp_table(tables.staged_table)
    if not (marks.tables or marks.refused_lists):
        return Sql(staged)
    replaced, problems, details, joins = ["retl_problem", "retl_detail"], ["s.retl_problem"], [], []
    columns = []
    if marks.refused_lists:
        replaced.append("retl_list")
        problems.append("r.retl_problem")
        details.append("r.retl_list")
        columns.append("CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list")
        joins.append(f"LEFT JOIN {temp_table(marks.refused_lists)} AS r ON s.retl_list = r.retl_list")
    if marks.tables:
        problems.append("m.retl_problem")
        details.append("m.retl_detail")
        columns += [
            f"s.retl_problem IS NULL AND COALESCE(m.{flag}, FALSE) AS {flag}" for flag in tables.omit_flags
        ]
        same_list = " AND s.retl_list = m.retl_list" if tables.many_lists else ""
        joins.append(
            f"LEFT JOIN (\n{_marked_rows_sql(tables)}\n  ) AS m "
            f"ON s.retl_identity = m.retl_identity{same_list}"
        )
    detail = details[0] if len(details) == 1 else f"COALESCE({', '.join(details)})"
    columns += [
        f"COALESCE({', '.join(problems)}) AS retl_problem",
        f"CASE WHEN s.retl_problem IS NULL THEN {detail} ELSE s.retl_detail END AS retl_detail",
    ]
    lines = [
        f"  SELECT s.* EXCLUDE ({', '.join(replaced)}), {', '.join(columns)}",
        f"  FROM {staged} AS s",
        *(f"  {join}" for join in joins),
    ]
    return Sql("(\n" + "\n".join(lines) + "\n)")


def _marked_rows_sql(tables: ModelTables) -> str:
    """Return each marked row once, with all of its marks: a join with it multiplies no row."""
    flags = "".join(
        f", COUNT(CASE WHEN retl_omitted = '{kind}' THEN 1 END) > 0 AS {flag}"
        for kind, flag in zip(tables.secondary_identifiers, tables.omit_flags, strict=True)
    )
    names = map(tables.dialect.temp_table, tables.marks.tables)
    all_marks = " UNION ALL ".join(f"SELECT * FROM {name}" for name in names)
    key = "retl_list, retl_identity" if tables.many_lists else "retl_identity"
    return (
        f"    SELECT {key}, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail{flags}\n"
        f"    FROM ({all_marks}) AS marked GROUP BY {key}"
    )


def _replace_table(tables: ModelTables, name: str, select: str, parameters: tuple[Any, ...]) -> Statement:
    dialect = tables.dialect
    text = f"{dialect.replace_temp_table_sql(name)} AS\n{select}"
    return Statement.create(dialect.temp_table(name), text, parameters)
