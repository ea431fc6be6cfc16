"""Stores how rows with `updated_at` were compared; see `planning/row_comparison.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.planning.sql.row_comparison import keep_updated_at
from reverse_etl.state.comparisons import SettledComparison
from reverse_etl.warehouse.model_tables import UPDATED_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.results import ListResult, RunResult
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state import State
    from reverse_etl.warehouse.statement import Statement


def build_comparison_updates(state: State, model_plan: ModelPlan) -> Iterator[Statement]:
    """Yield the statements that a run commits with the deltas of a model, before it sends them.

    A comparison with another SQL or config than this run's is forgotten first: the rows that this run sends
    have values of its own.
    """
    comparison, tables = model_plan.comparison, model_plan.tables
    if model_plan.is_skipped:
        return
    if comparison is None:
        # The config had `updated_at` before. A model that is skipped has it still, and keeps its comparison.
        if UPDATED_COLUMN in state.tables.columns(tables.snapshot) and not tables.keeps_updated_at:
            yield state.comparisons.delete(model_plan.model.name)
        return
    record = state.comparisons.load().get(model_plan.model.name)
    if record is not None and record.checksum != comparison.checksum:
        yield state.comparisons.delete(model_plan.model.name)
    upserts = sum(list_plan.upserts for list_plan in model_plan.lists)
    has_equal_rows = comparison.compared_rows is None or comparison.compared_rows > upserts
    if has_equal_rows and not model_plan.rekeyed:
        yield keep_updated_at(tables)


def record_comparisons(state: State, result: RunResult) -> None:
    """Record the full comparisons of a run, unless they found a change that is not applied or refused yet.

    The state would not show such a change to a comparison by `updated_at`.
    """
    open_models = {list_result.model for list_result in result.lists if _leaves_changes_open(list_result)}
    now = state.tables.now()
    state.comparisons.record(
        [
            SettledComparison(model_plan.model.name, model_plan.comparison.checksum, now)
            for model_plan in result.plan.models
            if model_plan.comparison is not None
            and model_plan.comparison.is_full
            and model_plan.model.name not in open_models
        ]
    )


def _leaves_changes_open(list_result: ListResult) -> bool:
    list_plan, outcomes = list_result.list_plan, list_result.outcomes
    ended = outcomes.get(Outcome.APPLIED, 0) + outcomes.get(Outcome.REJECTED, 0)
    return list_result.stop_cause is not None or bool(list_plan.deferred) or ended < list_plan.upserts
