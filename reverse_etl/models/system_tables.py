"""Find tables that a model must not read: those of the state, and the warehouse's own catalogs.

They change with every run, and they hold what other models and other people's sessions did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from reverse_etl.models.parsed_query import Finding, Query
from reverse_etl.models.query import find_offset
from reverse_etl.warehouse.factory import is_catalog_table, is_state_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.config.target import Target

_CATALOG_SCHEMAS: Final = frozenset({"information_schema", "pg_catalog"})
_HINT: Final = "Select from tables and views that dbt builds, with ref() or source()."


def find_system_tables(query: Query, target: Target) -> Iterator[Finding]:
    """Yield a finding for each table that belongs to the state or to the warehouse itself."""
    own_names = {cte.alias.casefold() for cte in query.tree.find_all(exp.CTE)}
    for node in query.tree.find_all(exp.Table, exp.Describe, exp.Summarize):
        if not isinstance(node, exp.Table):
            yield _catalog_finding(node.key.upper(), node)
            continue
        database, schema, name = (part.casefold() for part in (node.catalog, node.db, node.name))
        if not schema and name in own_names:
            continue
        shown_name = ".".join(part for part in (node.catalog, node.db, node.name) if part)
        if is_state_table(database, schema, target):
            yield Finding(
                f"The model reads {shown_name}, which belongs to the state of reverse-etl.",
                f"{_HINT} The state is read with: reverse-etl status",
                find_offset(node),
            )
        elif schema in _CATALOG_SCHEMAS or is_catalog_table(database, schema, name, target):
            yield _catalog_finding(shown_name, node)


def _catalog_finding(shown_name: str, node: exp.Expr) -> Finding:
    return Finding(
        f"The model reads {shown_name}, which belongs to the warehouse itself.", _HINT, find_offset(node)
    )
