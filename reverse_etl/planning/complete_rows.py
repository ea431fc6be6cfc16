"""Stages in full the rows of models with `updated_at` that may have changed, once their lists are known."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.planning.sql import row_comparison as sql
from reverse_etl.planning.sql import staging as staging_sql
from reverse_etl.planning.sql.model_query import StagedPart
from reverse_etl.planning.stage import SkippedModel, count_staged_rows, run_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.stage import PlannableModel, StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse


def complete_rows(
    warehouse: Warehouse,
    state: State,
    staged_models: Sequence[PlannableModel],
    refs: Mapping[str, Sequence[ListRef]],
) -> list[PlannableModel]:
    """Return the models, with all values of the rows that are to be compared; `refs` are their lists."""
    read_models = [staged for staged in staged_models if not isinstance(staged, SkippedModel)]
    by_name = {staged.model.name: staged for staged in read_models}
    incomplete = [staged for staged in read_models if staged.has_only_keys]
    collect = [
        partial(_collect_compared, warehouse, state, staged, refs[staged.model.name]) for staged in incomplete
    ]
    for staged, identities in zip(incomplete, warehouse.run_each(collect), strict=True):
        if not identities:
            by_name[staged.model.name] = _with_compared_rows(staged, 0)
    stage = [
        partial(_complete_model, warehouse, state, staged)
        for staged in by_name.values()
        if staged.has_only_keys
    ]
    if stage:
        with warehouse.staging():
            by_name |= {staged.model.name: staged for staged in warehouse.run_each(stage)}
    return [by_name.get(staged.model.name, staged) for staged in staged_models]


def _collect_compared(
    warehouse: Warehouse, state: State, staged: StagedModel, refs: Sequence[ListRef]
) -> int:
    """Collect the identities whose rows are to be compared, and return their number."""
    tables = staged.tables
    warehouse.set_query_tag(model=staged.model.name)
    warehouse.execute(staging_sql.replace_list_ids(tables, [(ref.row_value, ref.id) for ref in refs]))
    stale_list_ids = [ref.id for ref in refs if ref.needs_resend]
    model = (*state.scope.key, staged.model.name)
    warehouse.execute(sql.collect_compared(tables, _find_keys(staged), model, stale_list_ids))
    ((identities,),) = warehouse.fetch(sql.count_compared(tables))
    return int(identities)


def _complete_model(warehouse: Warehouse, state: State, staged: StagedModel) -> StagedModel:
    """Stage the collected rows in full, in the place of those without values."""
    tables = staged.tables
    warehouse.set_query_tag(model=staged.model.name)
    query = replace(staged.query, part=StagedPart.COMPARED)
    run_model(warehouse, staged.model, staging_sql.stage_rows(query))
    ((compared_rows,),) = warehouse.fetch(sql.count_completed(tables))
    keys = _find_keys(staged)
    for statement in sql.replace_compared(tables, keys):
        warehouse.execute(statement)
    if staged.has_withheld:
        for statement in state.withheld.mark_staged(tables):
            warehouse.execute(statement)
    counts = count_staged_rows(warehouse, tables, marks_unchanged=keys.others_are_equal)
    completed = replace(staged, rows=sum(counts.rows.values()), counts=counts)
    return _with_compared_rows(completed, int(compared_rows))


def _find_keys(staged: StagedModel) -> sql.StagedKeys:
    counts = staged.counts
    return sql.StagedKeys(
        are_unique=counts is not None and counts.has_unique_keys,
        are_valid=counts is not None and counts.valid == staged.rows,
        others_are_equal=staged.sent_list_id is not None,
    )


def _with_compared_rows(staged: StagedModel, rows: int) -> StagedModel:
    comparison = staged.comparison
    return replace(staged, comparison=comparison and replace(comparison, compared_rows=rows))
