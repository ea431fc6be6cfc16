"""The notes of a plan about events: how many go out, which of them start flows, and which are too old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.formatting import format_count
from reverse_etl.parsing.durations import format_duration

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.planning.event_facts import EventPlan
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.surfaces.event_rules import EventRules


def event_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return what becomes of a model's events; none for a model of another surface."""
    events, rules = model_plan.events, model_plan.model.config.surface.event_rules
    if events is None or rules is None:
        return []
    return [*_outgoing_notes(events, rules, list_plan), *_old_notes(events, rules)]


def _outgoing_notes(events: EventPlan, rules: EventRules, list_plan: ListPlan) -> list[str]:
    if not list_plan.upserts:
        return []
    out = f"{format_count(list_plan.upserts, 'event goes', 'events go')} out"
    oldest = f", the oldest of {_show_time(events.oldest)}" if events.oldest else ""
    since = _show_time(events.live_since) if events.live_since else "this run"
    notes = [f"{out}{oldest}; {rules.describe_flows(list_plan.upserts, events.backfilled, since)}"]
    if list_plan.first_load and events.backfilled < list_plan.upserts:
        notes.append("first load: nobody can take back these events and the flows that they start")
    return notes


def _old_notes(events: EventPlan, rules: EventRules) -> list[str]:
    if not events.old_rows:
        return []
    horizon = format_duration(rules.horizon.total_seconds())
    rows = format_count(events.old_rows, "row is", "rows are")
    return [f"{rows} from before {_show_time(events.cutoff)} (horizon: {horizon}), and never sent"]


def _show_time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
