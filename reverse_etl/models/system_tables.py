"""Find tables that a model must not read: those of the state, and the warehouse's own catalogs.

They change with every run, and they hold what other models and other people's sessions did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from sqlglot import exp

from reverse_etl.config.duckdb_output import RESERVED_DATABASES
from reverse_etl.domain.engine import Engine
from reverse_etl.models.query import Finding, Query, find_offset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.config.target import Target

_CATALOG_SCHEMAS: Final = frozenset({"information_schema", "pg_catalog"})
_DUCKDB_VIEWS: Final = frozenset(
    f"duckdb_{name}"
    for name in (
        *("columns", "constraints", "databases", "indexes", "logs", "schemas", "tables", "types", "views"),
    )
) | frozenset(
    {
        *("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"),
        *("pragma_database_list", "pg_am", "pg_attrdef", "pg_attribute", "pg_class", "pg_collation"),
        *("pg_constraint", "pg_database", "pg_depend", "pg_description", "pg_enum", "pg_index"),
        *("pg_indexes", "pg_namespace", "pg_prepared_statements", "pg_proc", "pg_sequence", "pg_sequences"),
        *("pg_settings", "pg_tables", "pg_tablespace", "pg_type", "pg_views"),
    }
)
_STATEMENT_WORDS: Final = frozenset({"show", "pragma"})  # sqlglot takes `FROM (SHOW TABLES)` for a table
_SNOWFLAKE_DATABASES: Final = frozenset({"snowflake"})
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
        if _is_state_table(database, schema, target):
            yield Finding(
                f"The model reads {shown_name}, which belongs to the state of reverse-etl.",
                f"{_HINT} The state is read with: reverse-etl status",
                find_offset(node),
            )
        elif schema in _CATALOG_SCHEMAS or _is_catalog_table(database, schema, name, target):
            yield _catalog_finding(shown_name, node)


def _is_state_table(database: str, schema: str, target: Target) -> bool:
    match target.output.type:
        case Engine.DUCKDB:
            return "reverse_etl_state" in {database, schema}
        case Engine.SNOWFLAKE:
            return schema == target.state_schema.strip('"').casefold()
        case _:
            assert_never(target.output.type)


def _is_catalog_table(database: str, schema: str, name: str, target: Target) -> bool:
    match target.output.type:
        case Engine.DUCKDB:
            # A schema may be called as one of these databases; dbt's is not meant.
            own_schema = not database and schema == target.output.schema.casefold()
            databases = {database} if database or own_schema else {schema}
            databases -= {
                target.output.database.casefold()
            }  # opening the warehouse says that its name is taken
            return (not database and name in _DUCKDB_VIEWS | _STATEMENT_WORDS) or not databases.isdisjoint(
                RESERVED_DATABASES
            )
        case Engine.SNOWFLAKE:
            return database in _SNOWFLAKE_DATABASES
        case _:
            assert_never(target.output.type)


def _catalog_finding(shown_name: str, node: exp.Expr) -> Finding:
    return Finding(
        f"The model reads {shown_name}, which belongs to the warehouse itself.", _HINT, find_offset(node)
    )
