"""The tables of DuckDB that belong to the state or to the warehouse itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.config.duckdb_output import RESERVED_DATABASES

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

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


def is_state_table(database: str, schema: str) -> bool:
    """Return whether a table is of the state; the names are in lower case, '' if they are not given."""
    return "reverse_etl_state" in {database, schema}


def is_catalog_table(database: str, schema: str, name: str, target: Target) -> bool:
    """Return whether a table is of the warehouse itself."""
    # A schema may be called as one of these databases; dbt's is not meant.
    own_schema = not database and schema == target.output.schema.casefold()
    databases = {database} if database or own_schema else {schema}
    databases -= {target.output.database.casefold()}  # opening the warehouse says that its name is taken
    is_view = not database and name in _DUCKDB_VIEWS | _STATEMENT_WORDS
    return is_view or not databases.isdisjoint(RESERVED_DATABASES)
