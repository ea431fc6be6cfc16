"""Counts the deltas of a plan, and takes out what is not sent: held removals, a limit, unknown people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.planning.sql import planned_rows as sql
from reverse_etl.planning.sql import without_profile as without_profile_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables

LOOK_AGAIN_SECONDS: Final = 7 * 86_400  # after a person was not found


@dataclass(frozen=True)
class PlannedCounts:
    """The numbers of a plan's deltas.

    `by_list` are the deltas by list id and operation, and `last_seq` is the highest number of one.
    `removes_by_identifier` are, by list id, the removes with neither e-mail nor phone, and with each
    identifier.
    """

    by_list: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    removes_by_identifier: Mapping[str, tuple[int, Mapping[IdentifierType, int]]] = field(
        default_factory=dict
    )
    last_seq: int = 0

    def have(self, *ops: Op) -> bool:
        """Return whether some deltas have one of these operations."""
        return any(op in list_ops for list_ops in self.by_list.values() for op in ops)


@dataclass(frozen=True)
class RemovalProtection:
    """The protection of rows from removal, by rejected rows and by lists whose removals are held.

    `hold_shared`: also rows that share an identifier with a rejected row.
    """

    has_rejected: bool
    hold_shared: bool
    held_list_ids: Sequence[str]

    @property
    def changes_plan(self) -> bool:
        """Return whether removals may be cancelled or held."""
        return self.has_rejected or bool(self.held_list_ids)


def count_planned_rows(warehouse: Warehouse, tables: ModelTables) -> PlannedCounts:
    """Return the numbers of a plan's deltas."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    removes: dict[str, tuple[int, Mapping[IdentifierType, int]]] = {}
    last_seq = 0
    for list_id, op, rows, last, without_contact, *by_identifier in warehouse.fetch(
        sql.count_planned_by_list(tables)
    ):
        counts[list_id][op] = rows
        last_seq = max(last_seq, int(last))
        if op == Op.REMOVE:
            kinds = zip(IdentifierType, by_identifier, strict=True)
            removes[list_id] = (int(without_contact), {kind: number for kind, number in kinds if number})
    return PlannedCounts(counts, removes, last_seq)


def hold_removals(
    warehouse: Warehouse,
    tables: ModelTables,
    planned: PlannedCounts,
    protection: RemovalProtection,
) -> PlannedCounts:
    """Cancel or hold the removals that rejected rows protect, and hold those of some lists.

    Returns the plan's counts by list and operation; `planned` are those before.
    """
    if not planned.have(Op.REMOVE):
        return planned
    if protection.has_rejected:
        warehouse.execute(sql.cancel_rejected_removals(tables))
        if protection.hold_shared:
            warehouse.execute(sql.hold_shared_removals(tables))
    if protection.held_list_ids:
        warehouse.execute(sql.hold_list_removals(tables, protection.held_list_ids))
    return count_planned_rows(warehouse, tables) if protection.changes_plan else planned


def apply_limit(warehouse: Warehouse, tables: ModelTables, limit: int) -> dict[str, int]:
    """Keep only the first `limit` upserts of the model; return the number of deferred ones by list."""
    before = count_planned_rows(warehouse, tables).by_list
    for statement in sql.apply_limit(tables, limit):
        warehouse.execute(statement)
    after = count_planned_rows(warehouse, tables).by_list
    return {list_id: _count_upserts(ops) - _count_upserts(after[list_id]) for list_id, ops in before.items()}


def skip_without_profile(warehouse: Warehouse, state: State, tables: ModelTables) -> dict[str, int]:
    """Leave out the rows whose person Klaviyo did not know lately; return their number by list."""
    if not tables.keeps_without_profile or not tables.fit(state.tables.columns(tables.without_profile)):
        return {}
    before = count_planned_rows(warehouse, tables).by_list
    since = format_epoch_seconds(state.clock.now() - LOOK_AGAIN_SECONDS)
    warehouse.execute(without_profile_sql.skip_without_profile(tables, since))
    after = count_planned_rows(warehouse, tables).by_list
    left = {
        list_id: _count_upserts(ops) - _count_upserts(after.get(list_id, {}))
        for list_id, ops in before.items()
    }
    return {list_id: rows for list_id, rows in left.items() if rows}


def _count_upserts(ops: Mapping[str, int]) -> int:
    return ops.get(Op.ADD, 0) + ops.get(Op.UPDATE, 0)
