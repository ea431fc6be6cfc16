"""Asks Snowflake when tables last changed, and what views are made of.

A table's version is the token of SYSTEM$LAST_CHANGE_COMMIT_TIME, which grows with each change of its rows,
together with the times of its creation and of its last DDL: a table that is replaced or swapped has others.
Tokens are compared, and never read as times. A view's version is that of its definition.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.errors import SessionLost, WarehouseError, WarehouseUnavailable
from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
from reverse_etl.warehouse.statement import Statement, quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reverse_etl.warehouse.interface import Row


def read_relation_facts(
    fetch: Callable[[Statement], list[Row]], names: Sequence[RelationName], database: str, schema: str
) -> dict[RelationName, RelationFacts]:
    """Return the facts of tables and views; what is missing is not known.

    `database` and `schema` are those of names without one. Nothing is known of other kinds of tables, such as
    external ones, of secure views, and of databases that the role can't look into.
    """
    full_names = {
        name: RelationName(name.database or database, name.schema or schema, name.name) for name in names
    }
    by_database: dict[str, list[RelationName]] = defaultdict(list)
    for full_name in dict.fromkeys(full_names.values()):
        by_database[full_name.database].append(full_name)
    facts: dict[RelationName, RelationFacts] = {}
    for name_of_database, members in by_database.items():
        try:
            facts |= _read_database(fetch, name_of_database, members)
        except (SessionLost, WarehouseUnavailable):
            raise
        except WarehouseError:  # no grant, or no such database: nothing is proved
            continue
    return {name: facts[full_name] for name, full_name in full_names.items() if full_name in facts}


def read_last_changes(fetch: Callable[[Statement], list[Row]], tables: Sequence[str]) -> list[str]:
    """Return the token of each table, given by its name in SQL; '' where Snowflake has none."""
    if not tables:
        return []
    calls = ", ".join(f"SYSTEM$LAST_CHANGE_COMMIT_TIME({quote_literal(table)})" for table in tables)
    ((*tokens,),) = fetch(Statement.read(f"SELECT {calls}"))
    return ["" if token is None else str(token) for token in tokens]


def _read_database(
    fetch: Callable[[Statement], list[Row]], database: str, names: Sequence[RelationName]
) -> dict[RelationName, RelationFacts]:
    facts: dict[RelationName, RelationFacts] = {}
    for schema, name, kind, created, last_ddl, view_sql in fetch(select_relations(database, names)):
        full_name = RelationName(database, schema, name)
        if created and last_ddl and (kind == "table" or (kind == "view" and view_sql)):
            facts[full_name] = RelationFacts(full_name, f"{created} {last_ddl}", view_sql or "")
    tables = [name for name, found in facts.items() if not found.view_sql]
    tokens = read_last_changes(fetch, [_quote(name) for name in tables])
    for name, token in zip(tables, tokens, strict=True):
        version = f"{facts[name].version} {token}" if token else ""
        facts[name] = replace(facts[name], version=version)
    return facts


def select_relations(database: str, names: Iterable[RelationName]) -> Statement:
    """Return schema, name, kind, time of creation, time of the last DDL, and the text of a view.

    Tables that Snowflake does not store itself, or whose changes it may not see, are of no kind.
    """
    pairs = [(name.schema, name.name) for name in names]
    marks = ", ".join("(?, ?)" for _ in pairs)
    information = f"{quote_identifier(database)}.INFORMATION_SCHEMA"
    return Statement.read(
        "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, CASE WHEN t.IS_ICEBERG = 'YES' OR t.IS_DYNAMIC = 'YES' "
        "OR t.IS_HYBRID = 'YES' OR v.IS_SECURE = 'YES' THEN NULL "
        "WHEN t.TABLE_TYPE = 'BASE TABLE' THEN 'table' WHEN t.TABLE_TYPE = 'VIEW' THEN 'view' END, "
        "DATE_PART(EPOCH_NANOSECOND, t.CREATED), DATE_PART(EPOCH_NANOSECOND, t.LAST_DDL), v.VIEW_DEFINITION\n"
        f"FROM {information}.TABLES AS t LEFT JOIN {information}.VIEWS AS v "
        "ON v.TABLE_SCHEMA = t.TABLE_SCHEMA AND v.TABLE_NAME = t.TABLE_NAME\n"
        f"WHERE (t.TABLE_SCHEMA, t.TABLE_NAME) IN ({marks})",
        tuple(part for pair in pairs for part in pair),
    )


def _quote(name: RelationName) -> str:
    return ".".join(map(quote_identifier, (name.database, name.schema, name.name)))
