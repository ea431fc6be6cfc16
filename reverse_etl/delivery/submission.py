"""Stores a run before its first row is sent: its deltas, and the record of each model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.row_comparisons import build_comparison_updates
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.state import ModelRecord, ModelSubmission
from reverse_etl.state.sql import deltas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.config.target import Target
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.planning.plan import ModelPlan, Plan


def defer_blocked_lists(context: DeliveryContext, plan: Plan) -> None:
    """Keep the plan from taking the place of rows whose import by an earlier run has not ended."""
    for model_plan in plan.models:
        if list_ids := _find_blocked_list_ids(context, model_plan):
            context.warehouse.execute(deltas.defer_lists(model_plan.tables, list_ids))


def _find_blocked_list_ids(context: DeliveryContext, model_plan: ModelPlan) -> list[str]:
    list_ids = (list_plan.list_ref.id for list_plan in model_plan.lists)
    return [id_ for id_ in list_ids if context.blocked_lists.find_reason(model_plan.model.name, id_)]


def mark_submitting(
    context: DeliveryContext, target: Target, plan: Plan, previous_records: Mapping[str, ModelRecord]
) -> None:
    """Store the plan's deltas as uncertain before the first of them is sent."""
    submissions = []
    for model_plan in plan.models:
        model_record = _build_record(context, model_plan, previous_records.get(model_plan.model.name))
        has_deferred = model_plan.has_deferred_removals or bool(_find_blocked_list_ids(context, model_plan))
        stale_list_ids = [
            list_plan.list_ref.id for list_plan in model_plan.lists if list_plan.list_ref.needs_resend
        ]
        submissions.append(
            ModelSubmission(
                model_record,
                model_plan.tables,
                model_plan.rekeyed,
                plan.previous_owners(model_plan),
                stale_list_ids,
                has_deferred and plan.has_upserts,
                prunes_events=model_plan.events is not None,
                has_deltas=model_plan.has_deltas,
                statements=(*build_comparison_updates(context.state, model_plan),),
                last_seq=model_plan.last_seq,
            )
        )
    context.state.mark_submitting(
        context.run_id, target.destination_id, format_timestamp(context.klaviyo_time), submissions
    )
    for model_plan in plan.models:
        context.state.rejections.record_check_rejections(
            context.run_id,
            model_plan.model.name,
            model_plan.tables,
            model_plan.stopped_list_ids,
            differ=model_plan.rejections_differ,
        )
        context.state.prune_without_profile(model_plan.tables)


def _build_record(
    context: DeliveryContext, model_plan: ModelPlan, previous: ModelRecord | None
) -> ModelRecord:
    """Return what the state keeps of a model that is sent now.

    While rows wait behind `--limit` or a guard, it keeps the previous checksum: the updates of these rows are
    still those of a model that has changed.
    """
    config, checksum = model_plan.model.config, model_plan.model.checksum
    if any(list_plan.deferred or list_plan.stop_reason for list_plan in model_plan.lists):
        checksum = previous.checksum if previous else ""
    live_since, pruned_before = _find_event_times(context, model_plan, previous)
    return ModelRecord(
        model_plan.model.name,
        model_plan.tables.table_key,
        config.surface.name,
        config.row_key,
        checksum,
        live_since,
        pruned_before,
    )


def _find_event_times(
    context: DeliveryContext, model_plan: ModelPlan, previous: ModelRecord | None
) -> tuple[str | None, str | None]:
    """Return since when a model of events is live, and before which time its keys are forgotten.

    The first run that a guard does not stop is the one that makes the model live.
    """
    events, rules = model_plan.events, model_plan.model.config.surface.event_rules
    if events is None or rules is None:
        return None, None
    live_since, pruned_before = (previous.live_since, previous.pruned_before) if previous else (None, None)
    if any(list_plan.stop_reason for list_plan in model_plan.lists):
        return live_since, pruned_before
    forgotten_before = parse_timestamp(pruned_before) if pruned_before else None
    return (
        format_timestamp(events.live_since or context.klaviyo_time),
        format_timestamp(rules.find_cutoff(context.klaviyo_time, forgotten_before)),
    )


def restore_checksums(
    context: DeliveryContext, result: RunResult, previous_records: Mapping[str, ModelRecord]
) -> None:
    """Keep the previous checksum of models of which rows were not sent; see `_build_record`."""
    unsent_models = {
        list_result.model for list_result in result.lists if Outcome.NOT_SENT in list_result.outcomes
    }
    for model_plan in result.plan.models:
        previous = previous_records.get(model_plan.model.name)
        if (
            previous is not None
            and previous.name in unsent_models
            and previous.checksum != model_plan.model.checksum
        ):
            record = _build_record(context, model_plan, previous)
            context.state.models.record_model(replace(record, checksum=previous.checksum))
