"""Finds the models that need not be read: nothing that they read has changed since their rows were compared.

A model is skipped only if its last full comparison found every row equal to the snapshot, and if it is proved
that both sides are still the same. Everything that is not known is a reason to read the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.models.model import Model
from reverse_etl.planning.stage import SkippedModel
from reverse_etl.state.people import deletes_people

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Output
    from reverse_etl.models.model import ProjectModel
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.planning.stage import PlannableModel
    from reverse_etl.state import State
    from reverse_etl.state.snapshot_matches import ModelSources, SnapshotMatch
    from reverse_etl.warehouse.interface import Warehouse

_ASKED: Final = "an option asks for rows"
# updated_at may hide a change: only a comparison of all rows proves that there is none.
_NO_FULL_COMPARISON: Final = (
    "no full comparison since its last change found all rows as they were sent, and one by updated_at proves "
    "less; to make one: reverse-etl run --full-comparison"
)


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

    `matches` has the comparison that still holds, by model; `reasons` why each other model is read;
    `sources` what each model reads that could be skipped next time; `unselected` the comparisons of models
    that are not part of the plan.
    """

    matches: Mapping[str, SnapshotMatch]
    sources: Mapping[str, ModelSources]
    reasons: Mapping[str, str]
    unselected: Mapping[str, SnapshotMatch]

    def without(self, names: Collection[str]) -> Skipping:
        """Return the same, but that some models are read after all: their lists are not as they were."""
        return replace(
            self,
            matches={name: match for name, match in self.matches.items() if name not in names},
            reasons={**self.reasons, **dict.fromkeys(names, "its lists have changed")},
        )


NO_SKIPPING: Final = Skipping({}, {}, {}, {})


def find_changed_lists(
    models: Sequence[PlannableModel], refs: Mapping[str, Sequence[ListRef]]
) -> frozenset[str]:
    """Return the skipped models whose lists are not as they were: these models have to be read."""
    return frozenset(
        skipped.model.name
        for skipped in models
        if isinstance(skipped, SkippedModel) and _has_changed_lists(skipped, refs[skipped.model.name])
    )


def _has_changed_lists(skipped: SkippedModel, refs: Sequence[ListRef]) -> bool:
    return (
        {ref.row_value for ref in refs} != {*skipped.list_names}
        or any(ref.is_new or ref.fault or ref.needs_resend or ref.removals_held for ref in refs)
        or not {*skipped.match.snapshot_rows} <= {ref.id for ref in refs}
    )


def describe_skipped(model_plans: Sequence[ModelPlan]) -> Iterator[str]:
    """Yield a sentence for each model that was not read."""
    for model_plan in model_plans:
        if skipped := model_plan.skipped:
            yield f"{model_plan.model.name} was skipped: {skipped.describe()}."


def collect_snapshot_matches(
    skipping: Skipping, model_plans: Sequence[ModelPlan]
) -> dict[str, SnapshotMatch]:
    """Return the comparisons that hold after a plan with nothing to send for their models."""
    return {
        **skipping.unselected,
        **{
            model_plan.model.name: model_plan.snapshot_match
            for model_plan in model_plans
            if model_plan.snapshot_match is not None
            and not any(list_plan.stop_reason or list_plan.list_ref.fault for list_plan in model_plan.lists)
        },
    }


def plan_skipping(warehouse: Warehouse, state: State, request: SkipRequest) -> Skipping:
    """Return which models of a plan are not read. Call it before any of them is.

    A full comparison that was asked for reads all models, and shows which of them the next run may skip.
    """
    from reverse_etl.planning.model_sources import SourceReader  # noqa: PLC0415 - few projects skip models

    if reason := _find_reason_for_all(state, request):
        return Skipping({}, {}, {model.name: reason for model in request.selected}, {})
    newest = next((run.run_id for run in state.runs.history() if not run.has_no_effect), "")
    stored = state.snapshot_matches.load(newest)
    reader = SourceReader(warehouse, state, request.output)
    sources: dict[str, ModelSources] = {}
    reasons: dict[str, str] = {}
    matches: dict[str, SnapshotMatch] = {}
    with warehouse.staging():
        sources_or_reasons = [*reader.read(request.selected)]
    for model, model_sources in sources_or_reasons:
        if isinstance(model_sources, str):
            reasons[model.name] = model_sources
            continue
        sources[model.name] = model_sources
        match = stored.get(model.name)
        reason = (
            _ASKED if request.options.full_comparison else _find_reason(state, model, model_sources, match)
        )
        if match is not None and not reason:
            matches[model.name] = match
        else:
            reasons[model.name] = reason
    selected = {model.name for model in request.selected}
    unselected = {name: match for name, match in stored.items() if name not in selected}
    return Skipping(matches, sources, reasons, unselected)


def _find_reason_for_all(state: State, request: SkipRequest) -> str:
    """Return why every model of a plan is read, '' if some may be skipped."""
    options = request.options
    if options.full_refresh or options.limit is not None or options.rekey or options.live_since:
        return _ASKED
    if state.runs.unfinished():
        return "an earlier run is not finished"
    models = (model for model in request.project_models if isinstance(model, Model))
    if any(map(deletes_people, state.models.records().values())) or any(
        model.config.surface.deletes_people for model in models
    ):
        return "the project deletes people, who are withheld from all models"
    return ""


def _find_reason(state: State, model: Model, sources: ModelSources, match: SnapshotMatch | None) -> str:
    """Return why a model is read, '' if it is proved that its rows equal the snapshot."""
    if match is None:
        if model.config.surface.columns.updated_at:
            return _NO_FULL_COMPARISON
        return "no comparison since its last change found all rows as they were sent"
    if match.sources.fingerprint != sources.fingerprint:
        return "its SQL, its config, the output or this program has changed"
    before, now = match.sources.versions, sources.versions
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        return f"{', '.join(changed)} may have changed"
    age = state.clock.now() - parse_timestamp(match.compared_at).timestamp()
    return (
        _find_open_rows(state, model, match)
        if 0 <= age < model.config.full_every
        else "a full comparison is due"
    )


def _find_open_rows(state: State, model: Model, match: SnapshotMatch) -> str:
    """Return which rows of the state differ from the comparison's, '' if none does."""
    if state.rejections.exist(model.name) or state.omissions.exist(model.name):
        return "rows are rejected, or sent without an identifier"
    applied, uncertain = state.models.rows_by_list(state.models.records()[model.name].table_key)
    if uncertain:
        return "rows are uncertain, or were asked for"
    return "" if applied == match.snapshot_rows else "rows of the state have changed"
