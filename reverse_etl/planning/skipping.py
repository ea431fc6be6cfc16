"""Finds the models that need not be read: nothing that they read has changed since their rows were compared.

A model is skipped only if its last full comparison found every row equal to the snapshot, and if it is proved
that both sides are still the same. Everything that is not known is a reason to read the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.models.model import Model
from reverse_etl.state.people import deletes_people
from reverse_etl.state.sources import ComparedRows, ModelSources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Output
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan import ModelPlan, PlanOptions
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class SkipRequest:
    """The models of a plan and its options, all models of the project, and the output that they read."""

    selected: Sequence[Model]
    project_models: Sequence[ProjectModel]
    options: PlanOptions
    output: Output


@dataclass(frozen=True)
class Skipping:
    """The models of a plan that are not read, and what the others read.

    `unchanged` has the comparison that still holds, by model; `reasons` why each other model is read;
    `sources` what each model reads that could be skipped next time; `unselected` the comparisons of models
    that are not part of the plan.
    """

    unchanged: Mapping[str, ComparedRows]
    sources: Mapping[str, ModelSources]
    reasons: Mapping[str, str]
    unselected: Mapping[str, ComparedRows]

    def without(self, names: Collection[str]) -> Skipping:
        """Return the same, but that some models are read after all."""
        unchanged = {name: entry for name, entry in self.unchanged.items() if name not in names}
        return replace(self, unchanged=unchanged)


NO_SKIPPING: Final = Skipping({}, {}, {}, {})


def find_changed_lists(
    staged_models: Sequence[StagedModel], refs: Mapping[str, Sequence[ListRef]]
) -> frozenset[str]:
    """Return the skipped models whose lists are not as they were: these models have to be read."""
    return frozenset(
        staged.model.name
        for staged in staged_models
        if staged.unchanged is not None
        and (
            {ref.row_value for ref in refs[staged.model.name]} != {*staged.list_names}
            or any(
                ref.is_new or ref.fault or ref.needs_resend or ref.removals_held
                for ref in refs[staged.model.name]
            )
            or not {*staged.unchanged.snapshot_rows} <= {ref.id for ref in refs[staged.model.name]}
        )
    )


def describe_skipped(model_plans: Sequence[ModelPlan]) -> Iterator[str]:
    """Yield a sentence for each model that was not read."""
    for model_plan in model_plans:
        if compared := model_plan.unchanged:
            yield (
                f"{model_plan.model.name} was skipped: nothing it reads has changed since run "
                f"{compared.run_id} at {compared.compared_at[:16].replace('T', ' ')} UTC."
            )


def collect_compared_rows(skipping: Skipping, model_plans: Sequence[ModelPlan]) -> dict[str, ComparedRows]:
    """Return the comparisons that hold after a plan with nothing to send for their models."""
    return {
        **skipping.unselected,
        **{
            model_plan.model.name: model_plan.compared
            for model_plan in model_plans
            if model_plan.compared is not None
            and not any(list_plan.stop_reason or list_plan.list_ref.fault for list_plan in model_plan.lists)
        },
    }


def find_unchanged(warehouse: Warehouse, state: State, request: SkipRequest) -> Skipping:
    """Return which models of a plan are not read. Call it before any of them is."""
    from reverse_etl.planning.model_sources import SourceReader  # noqa: PLC0415 - few projects skip models

    if reason := _find_reason_for_all(state, request):
        return Skipping({}, {}, {model.name: reason for model in request.selected}, {})
    newest = state.runs.history()
    stored = state.sources.load(newest[0].run_id if newest else "")
    reader = SourceReader(warehouse, state, request.output)
    sources: dict[str, ModelSources] = {}
    reasons: dict[str, str] = {}
    unchanged: dict[str, ComparedRows] = {}
    with warehouse.staging():
        found_sources = [*reader.read(request.selected)]
    for model, found in found_sources:
        if isinstance(found, ModelSources):
            sources[model.name] = found
            compared = stored.get(model.name)
            reason = _find_reason(state, model, found, compared)
            if compared is not None and not reason:
                unchanged[model.name] = compared
                continue
            reasons[model.name] = reason
        else:
            reasons[model.name] = found
    selected = {model.name for model in request.selected}
    unselected = {name: entry for name, entry in stored.items() if name not in selected}
    return Skipping(unchanged, sources, reasons, unselected)


def _find_reason_for_all(state: State, request: SkipRequest) -> str:
    """Return why every model of a plan is read, '' if some may be skipped."""
    options = request.options
    if (
        options.full_refresh
        or options.compares_all
        or options.limit is not None
        or options.rekey
        or options.live_since
    ):
        return "an option asks for rows"
    if state.runs.unfinished():
        return "an earlier run is not finished"
    models = (model for model in request.project_models if isinstance(model, Model))
    if any(map(deletes_people, state.models().values())) or any(
        model.config.surface.deletes_people for model in models
    ):
        return "the project deletes people, who are withheld from all models"
    return ""


def _find_reason(state: State, model: Model, sources: ModelSources, compared: ComparedRows | None) -> str:
    """Return why a model is read, '' if it is proved that its rows equal the snapshot."""
    if compared is None:
        return "no comparison since its last change found all rows as they were sent"
    if compared.sources.fingerprint != sources.fingerprint:
        return "its SQL, its config, the output or this program has changed"
    before, now = compared.sources.versions, sources.versions
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        return f"{', '.join(changed)} may have changed"
    age = state.clock.now() - parse_timestamp(compared.compared_at).timestamp()
    return (
        _find_open_rows(state, model, compared)
        if 0 <= age < model.config.full_every
        else "a full comparison is due"
    )


def _find_open_rows(state: State, model: Model, compared: ComparedRows) -> str:
    """Return which rows of the state differ from the comparison's, '' if none does."""
    if state.rejections.exist(model.name) or state.omissions.exist(model.name):
        return "rows are rejected, or sent without an identifier"
    applied, uncertain = state.rows_by_list(state.models()[model.name].table_key)
    if uncertain:
        return "rows are uncertain, or were asked for"
    return "" if applied == compared.snapshot_rows else "rows of the state have changed"
