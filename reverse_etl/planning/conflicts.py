"""Resolves conflicting rows of a model in the warehouse: duplicates, and rows that share an identifier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import OnSharedIdentifier
from reverse_etl.planning.sql import conflicts as sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.planning.stage import StagedCounts, StagedModel
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class ConflictReport:
    """How the conflicting rows of a model were resolved.

    `duplicate_rows` counts the rows that equal another row in every column; such rows count once.
    `omitted_identifiers` counts, by type, the rows that are sent without a shared identifier. `changed_rows`
    is whether some staged rows were merged or rejected, or may have been.
    """

    duplicate_rows: int = 0
    omitted_identifiers: Mapping[IdentifierType, int] = field(default_factory=dict)
    changed_rows: bool = False


@dataclass(frozen=True)
class MarkCounts:
    """The numbers of the marks that were made last.

    `omitting_rows` are sent without an identifier. `omitting_identities` counts a row key once, on however
    many lists it is.
    """

    rejected_rows: int
    omitting_rows: int
    omitting_identities: int


def count_marks(warehouse: Warehouse, tables: ModelTables) -> MarkCounts:
    """Return the numbers of the marks that were made last."""
    (numbers,) = warehouse.fetch(sql.count_marks(tables))
    return MarkCounts(*map(int, numbers))


def resolve_conflicts(
    warehouse: Warehouse, staged: StagedModel, counts: StagedCounts | None
) -> ConflictReport:
    """Merge equal rows, then reject rows that conflict or omit the identifiers that they share.

    `counts` are those of the staged rows, perhaps before some of them were rejected; None if not known.
    """
    has_unique_keys = counts is not None and counts.has_unique_keys
    duplicate_rows = 0 if has_unique_keys else _merge_duplicates(warehouse, staged.tables)
    report = resolve_shared_identifiers(warehouse, staged, counts)
    changed_rows = report.changed_rows or not has_unique_keys
    return replace(report, duplicate_rows=duplicate_rows, changed_rows=changed_rows)


def resolve_shared_identifiers(
    warehouse: Warehouse, staged: StagedModel, counts: StagedCounts | None
) -> ConflictReport:
    """Reject the rows that share an identifier, or omit it, as the model's config says.

    Call it only if identities are unique. The first identifier type can't be shared: it is the identity.
    """
    tables = staged.tables
    omitted_identifiers: dict[IdentifierType, int] = {}
    changed_rows = False
    for kind in tables.secondary_identifiers:
        if counts is not None and kind in counts.unshared:
            continue
        identifier = sql.SharedIdentifier(tables, kind)
        warehouse.execute(sql.collect_shared(identifier))
        shared = tables.dialect.temp_table(identifier.shared)
        if not _count(warehouse, Statement.read(f"SELECT COUNT(*) FROM {shared}")):
            continue
        match staged.model.config.on_shared_identifier:
            case OnSharedIdentifier.OMIT:
                warehouse.execute(sql.mark_shared(identifier, reject=False))
                marks = count_marks(warehouse, tables)
                omitted_identifiers[kind] = marks.omitting_rows
                changed_rows = changed_rows or marks.rejected_rows > 0
            case OnSharedIdentifier.REJECT:
                warehouse.execute(sql.mark_shared(identifier, reject=True))
                changed_rows = True
    return ConflictReport(
        omitted_identifiers={kind: rows for kind, rows in omitted_identifiers.items() if rows},
        changed_rows=changed_rows,
    )


def _merge_duplicates(warehouse: Warehouse, tables: ModelTables) -> int:
    duplicates, distinct = (tables.dialect.temp_table(name) for name in (tables.duplicates, tables.distinct))
    warehouse.execute(sql.collect_duplicates(tables))
    rows = _count(warehouse, Statement.read(f"SELECT COALESCE(SUM(retl_rows), 0) FROM {duplicates}"))
    if not rows:
        return 0
    for statement in sql.resolve_duplicates(tables):
        warehouse.execute(statement)
    return rows - _count(warehouse, Statement.read(f"SELECT COUNT(*) FROM {distinct}"))


def _count(warehouse: Warehouse, statement: Statement) -> int:
    return int(warehouse.fetch(statement)[0][0])
