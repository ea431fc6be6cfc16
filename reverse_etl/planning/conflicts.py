"""Clashes: rows of a model that speak of one person, or carry one identifier, settled in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import OnSharedIdentifier
from reverse_etl.planning.sql import conflicts as sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class ConflictReport:
    """What became of a model's rows that clashed.

    `duplicate_rows` rows are equal to another row in every column and count as one with it.
    `omitted_identifiers` counts, by identifier, the rows that lost a shared one.
    """

    duplicate_rows: int = 0
    omitted_identifiers: Mapping[IdentifierType, int] = field(default_factory=dict)


def resolve_conflicts(warehouse: Warehouse, staged: StagedModel) -> ConflictReport:
    """Join rows that are equal, and reject or shorten those that can't all be sent as they are."""
    duplicate_rows = _merge_duplicates(warehouse, staged.tables)
    return replace(resolve_shared_identifiers(warehouse, staged), duplicate_rows=duplicate_rows)


def resolve_shared_identifiers(warehouse: Warehouse, staged: StagedModel) -> ConflictReport:
    """Reject or shorten the rows of which several carry one identifier, where no identity stands twice.

    The first type of identifier can't be shared, since it is its row's identity.
    """
    dialect, tables = warehouse.dialect, staged.tables
    omitted_identifiers: dict[IdentifierType, int] = {}
    for kind in tables.secondary_identifiers:
        warehouse.execute(sql.collect_shared(dialect, tables, kind))
        found = f"SELECT COUNT(*) FROM {dialect.temp_table(f'shared_{kind}_{tables.table_key}')}"
        if not _count(warehouse, Statement.read(found)):
            continue
        warehouse.execute(sql.reject_identity_conflicts(dialect, tables, kind))
        match staged.model.config.on_shared_identifier:
            case OnSharedIdentifier.OMIT:
                omitted_identifiers[kind] = _count(warehouse, sql.count_shared(dialect, tables, kind))
                warehouse.execute(sql.omit_shared(dialect, tables, kind))
            case OnSharedIdentifier.REJECT:
                warehouse.execute(sql.reject_shared(dialect, tables, kind))
    return ConflictReport(
        omitted_identifiers={kind: rows for kind, rows in omitted_identifiers.items() if rows}
    )


def _merge_duplicates(warehouse: Warehouse, tables: ModelTables) -> int:
    dialect = warehouse.dialect
    twins = dialect.temp_table("twins_" + tables.table_key)
    staged_count = Statement.read(f"SELECT COALESCE(SUM(retl_rows), 0) FROM {twins}")
    warehouse.execute(sql.collect_duplicates(dialect, tables))
    rows = _count(warehouse, staged_count)
    if not rows:
        return 0
    for statement in sql.resolve_duplicates(dialect, tables):
        warehouse.execute(statement)
    distinct = dialect.temp_table("distinct_" + tables.table_key)
    return rows - _count(warehouse, Statement.read(f"SELECT COUNT(*) FROM {distinct}"))


def _count(warehouse: Warehouse, statement: Statement) -> int:
    return int(warehouse.fetch(statement)[0][0])
