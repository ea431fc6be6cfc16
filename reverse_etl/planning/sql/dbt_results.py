"""Reads of the table in which the dbt package records results. One text for both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.models.relations import SchemaRelations
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.config.target import Output

TABLE: Final = "reverse_etl_dbt_results"
COLUMNS: Final = (
    "unique_id",
    "status",
    "completed_at",
    "command",
    "target_name",
    "invocation_id",
    "relation_name",
    "failures",
    "max_loaded_at",
    "without_rows",
)
NEEDED_COLUMNS: Final = frozenset({*COLUMNS, "resource_type", "recorded_at"})
_RESULTS_A_NODE: Final = 10  # enough for the usual time between builds


def table_name(output: Output) -> str:
    """Return the table's full name, in the schema of dbt's target."""
    return str(SchemaRelations(output).ref(TABLE, None, None))


def column_names(output: Output) -> Statement:
    """Return a query of the table's column names, in lower case; it has no rows where there is no table."""
    return Statement.read(
        "SELECT LOWER(column_name) FROM information_schema.columns\n"
        "WHERE UPPER(table_catalog) = UPPER(?) AND UPPER(table_schema) = UPPER(?) AND UPPER(table_name) = ?",
        (output.database, output.schema, TABLE.upper()),
    )


def newest_results(output: Output) -> Statement:
    """Return a query of the newest results of each node and relation.

    Skipped tests are left out: they would hide the last result that a test had.
    """
    return Statement.read(
        f"SELECT {', '.join(COLUMNS)} FROM {table_name(output)}\n"
        "WHERE resource_type <> 'invocation'\n"
        "AND NOT (status = 'skipped' AND resource_type IN ('test', 'unit_test'))\n"
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY unique_id, relation_name ORDER BY completed_at DESC) "
        f"<= {_RESULTS_A_NODE}"
    )


def recorded_invocations(output: Output, invocation_ids: Sequence[str]) -> Statement:
    """Return a query of one row: since when results are recorded, and for each invocation whether it is."""
    marks = "".join(
        ", COALESCE(MAX(CASE WHEN resource_type = 'invocation' AND invocation_id = ? THEN 1 END), 0)"
        for _ in invocation_ids
    )
    return Statement.read(f"SELECT MIN(recorded_at){marks} FROM {table_name(output)}", tuple(invocation_ids))
