"""Proves by their files that nothing in attached DuckDB databases changed: tables, views or macros.

DuckDB records no changes of a table. So a table has not changed if no file of an attached database has: not
its inode, size or times, nor its headers, whose number grows with each checkpoint. A file with a write-ahead
log beside it may have changed since the last checkpoint.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reverse_etl.warehouse.interface import Row

_HEADER_BYTES: Final = 3 * 4096  # the file's own header, and two that are written in turn

SELECT_DATABASES: Final = (
    "SELECT d.database_name, d.path, d.type, d.readonly, "
    "(SELECT COUNT(*) FROM duckdb_functions() AS f WHERE NOT f.internal) AS macros\n"
    "FROM duckdb_databases() AS d WHERE NOT d.internal ORDER BY d.database_name"
)
SELECT_RELATIONS: Final = (
    "SELECT r.database_name, r.schema_name, r.name, r.sql, current_database(), current_schema() FROM (\n"
    "  SELECT database_name, schema_name, table_name AS name, '' AS sql FROM duckdb_tables()\n"
    "  UNION ALL\n"
    "  SELECT database_name, schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal\n"
    ") AS r"
)


def compute_version(databases: Iterable[Row], own: frozenset[str]) -> str:
    """Return a text that changes with any attached database but `own`; '' if a change might not show.

    `databases` are rows of SELECT_DATABASES. Databases that are no local files of DuckDB, files that another
    process could write now, and macros, which may do anything, leave it unknown.
    """
    parts = [duckdb.__version__]  # another version of DuckDB may compute other values
    for name, path, type_, is_read_only, macros in databases:
        if name in own:
            continue
        if macros or type_ != "duckdb" or not path or not is_read_only:
            return ""
        file = Path(path)
        if "://" in path or Path(f"{path}.wal").exists() or not file.is_file():
            return ""
        with file.open("rb") as content:
            header = hashlib.sha256(content.read(_HEADER_BYTES)).hexdigest()
        stat = file.stat()
        facts = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        parts.append(f"{name}:{'.'.join(map(str, facts))}:{header}")
    return " ".join(parts) if len(parts) > 1 else ""


def find_relations(
    names: Sequence[RelationName], relations: Sequence[Row], version: str
) -> dict[RelationName, RelationFacts]:
    """Return the facts of the names that mean one relation alone.

    `relations` are rows of SELECT_RELATIONS.
    """
    found: dict[RelationName, RelationFacts] = {}
    for name in names:
        matches = [row for row in relations if _is_meant(name, row)]
        if len(matches) == 1:
            database, schema, relation, sql, *_ = matches[0]
            found[name] = RelationFacts(RelationName(database, schema, relation), version, sql)
    return found


def _is_meant(name: RelationName, relation: Row) -> bool:
    database, schema, relation_name, _, current_database, current_schema = (
        str(part).casefold() for part in relation
    )
    if relation_name != name.name.casefold():
        return False
    if name.database:
        return (database, schema) == (name.database.casefold(), name.schema.casefold())
    if name.schema:  # a schema of the current database, or a database with its schema main
        part = name.schema.casefold()
        return (database, schema) in {(current_database, part), (part, "main")}
    return (database, schema) == (current_database, current_schema)
