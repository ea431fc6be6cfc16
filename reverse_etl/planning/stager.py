"""Stages models, those of the run and others that decide about the same people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListColumn
from reverse_etl.domain.progress import ProgressHandler, Warned
from reverse_etl.domain.rejections import RejectionSource
from reverse_etl.errors import ModelError, UsageError
from reverse_etl.models.model import BrokenModel, Model
from reverse_etl.planning.stage import (
    SentRows,
    SkippedModel,
    StagedModel,
    StageRequest,
    build_query,
    stage_model,
)
from reverse_etl.planning.state_sources import with_state_sources
from reverse_etl.state.runs import last_lists_by_model
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.interface import DiffKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.row_comparison import ComparisonChooser
    from reverse_etl.state import ModelRecord, State
    from reverse_etl.state.snapshot_matches import SnapshotMatch
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class Stager:
    """Stages models, each with what it reads of the state, and compared as the chooser says."""

    warehouse: Warehouse
    state: State
    project_models: Sequence[ProjectModel]
    chooser: ComparisonChooser

    def stage(
        self, model: Model, table_key: str, now: datetime, sent_rows: SentRows | None = None
    ) -> StagedModel:
        """Stage one model in the warehouse session. Raises ModelError if it fails to run."""
        readable = with_state_sources(self.state, model, self.project_models)
        request = StageRequest(readable, table_key, now, sent_rows)
        return stage_model(self.warehouse, request, self.chooser)

    def skip(self, model: Model, table_key: str, now: datetime, match: SnapshotMatch) -> SkippedModel:
        """Return a model that need not be read, as `skipping` found. Only its columns are asked for."""
        query, _ = build_query(self.warehouse, StageRequest(model, table_key, now), self.chooser)
        return SkippedModel(model, replace(query.tables, has_staged_rows=False), match)

    def find_sent_rows(self, model: Model, record: ModelRecord | None) -> SentRows | None:
        """Return the sent rows with which a model's rows may be compared as they are staged.

        None if rows of the model are sent or rejected by more than a comparison with them: if it never ran,
        names several lists, has events, uncertain rows, or rows that Klaviyo refused, or has other
        identifiers now.
        """
        surface, state = model.config.surface, self.state
        if (
            record is None
            or record.identifiers != model.config.row_key
            or isinstance(model.config.list_target, ListColumn)
            or surface.diff is not DiffKind.STATE
            or surface.event_rules is not None
            or surface.deletes_people
            or state.rejections.exist(model.name, RejectionSource.KLAVIYO)
        ):
            return None
        columns = state.tables.columns(f"snapshot_{record.table_key}")
        list_ids = last_lists_by_model(state.runs.run_lists()).get(model.name, frozenset())
        if not columns or len(list_ids) != 1:
            return None
        _, uncertain_rows = state.models.rows_by_list(record.table_key)
        return None if uncertain_rows else SentRows(next(iter(list_ids)), columns)


def stage_unselected(
    stager: Stager, model_plans: Sequence[ModelPlan], on_progress: ProgressHandler
) -> tuple[StagedModel, ...]:
    """Stage the models that are not selected, and decide about people of the plan.

    The state has only the rows that were sent, and not those that a model has now. Raises UsageError if a
    model that suppresses people does not compile, and ModelError if it fails to run.
    """
    selected = {model_plan.model.name for model_plan in model_plans}
    others = [model for model in stager.project_models if model.name not in selected]
    suppressing = tuple(_find_suppressing(others)) if _ask_for_consent(model_plans) else ()
    unsubscribing = tuple(_find_unsubscribing(stager.state, others, model_plans))
    table_keys = stager.state.models.table_keys(model.name for model in (*suppressing, *unsubscribing))
    now = datetime.fromtimestamp(stager.state.clock.now(), UTC)

    def stage(model: Model) -> StagedModel | ModelError:
        try:
            return stager.stage(model, table_keys[model.name], now)
        except ModelError as error:
            if model in suppressing:
                raise
            return error

    models = (*suppressing, *unsubscribing)
    staged: list[StagedModel] = []
    if models:
        with stager.warehouse.staging():
            tasks = [partial(stage, model) for model in models]
            for model, result in zip(models, stager.warehouse.run_each(tasks), strict=True):
                if isinstance(result, ModelError):
                    summary = f"{model.name}: {result.problems[0].summary} Removals of its people wait."
                    on_progress(Warned(summary))
                else:
                    staged.append(result)
    return tuple(staged)


def _ask_for_consent(model_plans: Sequence[ModelPlan]) -> bool:
    return any(model_plan.model.config.surface.asks_for_consent for model_plan in model_plans)


def _find_suppressing(models: Sequence[ProjectModel]) -> Iterator[Model]:
    """Yield the models that suppress people: nobody is subscribed who is suppressed by the project."""
    for model in models:
        surface = model.config.surface if isinstance(model, Model) else find_surface(model.surface_name)
        if surface is None or not surface.suppresses_people:
            continue
        if isinstance(model, BrokenModel):
            raise UsageError.of(
                f"The model {model.name} suppresses people, and does not compile: people that it suppresses "
                "could be subscribed.",
                where=str(model.path),
                hint=f"Show why: reverse-etl compile --select {model.name}",
            )
        yield model


def _find_unsubscribing(
    state: State, models: Sequence[ProjectModel], model_plans: Sequence[ModelPlan]
) -> Iterator[Model]:
    """Yield the models that unsubscribe people from lists of which the plan removes members.

    A person who left such a model is unsubscribed before they are removed, and one that it keeps is not
    unsubscribed at all.
    """
    list_ids = {
        list_plan.list_ref.id
        for model_plan in model_plans
        if model_plan.model.owns_members
        for list_plan in model_plan.lists
        if list_plan.removes
    }
    owners = {entry.model for entry in state.lists.registered() if entry.id in list_ids}
    for model in models:
        if isinstance(model, Model) and model.name in owners and unsubscribes(model.config.surface):
            yield model


def unsubscribes(surface: Surface) -> bool:
    """Return whether people of rows that leave are unsubscribed."""
    return surface.remove is not None and surface.remove.unsubscribes
