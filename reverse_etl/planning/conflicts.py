"""Clashes: rows of a model that speak of one person, or carry one identifier, settled in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import OnShared
from reverse_etl.planning.sql import conflicts as sql
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.planning.stage import Staged
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import Shape


@dataclass(frozen=True)
class Clashes:
    """What became of a model's rows that clashed.

    `repeated` rows are equal to another row in every column and count as one with it. `omitted` counts, by
    identifier, the rows that lost a shared one.
    """

    repeated: int = 0
    omitted: Mapping[IdentifierType, int] = field(default_factory=dict)


def settle(warehouse: Warehouse, staged: Staged) -> Clashes:
    """Join rows that are equal, and reject or shorten those that can't all be sent as they are."""
    repeated = _join_twins(warehouse, staged.shape)
    return replace(settle_shared(warehouse, staged), repeated=repeated)


def settle_shared(warehouse: Warehouse, staged: Staged) -> Clashes:
    """Reject or shorten the rows of which several carry one identifier, where no identity stands twice.

    The first type of identifier can't be shared, since it is its row's identity.
    """
    dialect, shape = warehouse.dialect, staged.shape
    omitted: dict[IdentifierType, int] = {}
    for kind in shape.secondary:
        warehouse.execute(sql.shared(dialect, shape, kind))
        found = f"SELECT COUNT(*) FROM {dialect.passing(f'shared_{kind}_{shape.key}')}"
        if not _count(warehouse, Statement.read(found)):
            continue
        warehouse.execute(sql.reject_owners(dialect, shape, kind))
        match staged.model.config.on_shared_identifier:
            case OnShared.OMIT:
                omitted[kind] = _count(warehouse, sql.shared_count(dialect, shape, kind))
                warehouse.execute(sql.omit_shared(dialect, shape, kind))
            case OnShared.REJECT:
                warehouse.execute(sql.reject_shared(dialect, shape, kind))
    return Clashes(omitted={kind: rows for kind, rows in omitted.items() if rows})


def _join_twins(warehouse: Warehouse, shape: Shape) -> int:
    dialect = warehouse.dialect
    twins = dialect.passing("twins_" + shape.key)
    before = Statement.read(f"SELECT COALESCE(SUM(retl_rows), 0) FROM {twins}")
    warehouse.execute(sql.twins(dialect, shape))
    rows = _count(warehouse, before)
    if not rows:
        return 0
    for statement in sql.settle_twins(dialect, shape):
        warehouse.execute(statement)
    distinct = dialect.passing("distinct_" + shape.key)
    return rows - _count(warehouse, Statement.read(f"SELECT COUNT(*) FROM {distinct}"))


def _count(warehouse: Warehouse, statement: Statement) -> int:
    return int(warehouse.fetch(statement)[0][0])
