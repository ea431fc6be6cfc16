"""Plans events: which go out, which start flows, and which are too old.

Also decides whether the state can know what was sent before. If not, nothing is sent until somebody says
since when events start flows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.formatting import format_count
from reverse_etl.planning.event_facts import EventPlan
from reverse_etl.planning.sql import events as sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import ModelRecord, State
    from reverse_etl.surfaces.event_rules import EventRules
    from reverse_etl.warehouse.interface import Warehouse

LIVE_SINCE_FLAG = "--live-since"
_SENT = ("applied", "unverified")
_SHOWN_METRICS = 3


def leave_out_old_events(
    warehouse: Warehouse, staged: StagedModel, record: ModelRecord | None, now: float
) -> StagedModel:
    """Return a staged model without the events that are too old; a model of another surface as it is."""
    rules = staged.model.config.surface.event_rules
    if rules is None:
        return staged
    pruned_before = parse_timestamp(record.pruned_before) if record and record.pruned_before else None
    cutoff = rules.find_cutoff(datetime.fromtimestamp(now, UTC), pruned_before)
    ((old_rows,),) = warehouse.fetch(sql.count_old_events(staged.tables, cutoff))
    if old_rows:
        warehouse.execute(sql.delete_old_events(staged.tables, cutoff))
    counts = None if old_rows else staged.counts
    events = EventPlan(cutoff, int(old_rows))
    return replace(staged, rows=staged.rows - int(old_rows), events=events, counts=counts)


def require_usable_time(live_since: datetime | None, selected: Iterable[Model], now: float) -> None:
    """Raise UsageError if the time lies in the future, or if no model has events."""
    if live_since is None:
        return
    if live_since.timestamp() > now:
        raise UsageError.of(
            f"{live_since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} lies in the future.",
            where=LIVE_SINCE_FLAG,
            hint="Name the time from which on events start flows: now, or the time of the last run.",
        )
    if all(model.config.surface.event_rules is None for model in selected):
        raise UsageError.of(
            "No selected model has events.",
            where=LIVE_SINCE_FLAG,
            hint=f"Name the model with --select, or remove {LIVE_SINCE_FLAG}.",
        )


@dataclass(frozen=True)
class EventPlanner:
    """Completes the plans of models of events. `klaviyo` is None for a plan without a key."""

    warehouse: Warehouse
    state: State
    klaviyo: Klaviyo | None
    options: PlanOptions

    def add_event_facts(self, model_plans: Sequence[ModelPlan]) -> tuple[ModelPlan, ...]:
        """Return the plans with which events start flows, and why nothing may be sent, if so."""
        if all(model_plan.events is None for model_plan in model_plans):
            return tuple(model_plans)
        records = self.state.models.records()
        return tuple(
            model_plan
            if model_plan.events is None
            else replace(
                model_plan,
                events=self._complete(model_plan, model_plan.events, records.get(model_plan.model.name)),
            )
            for model_plan in model_plans
        )

    def _complete(self, model_plan: ModelPlan, events: EventPlan, record: ModelRecord | None) -> EventPlan:
        rules = model_plan.model.config.surface.event_rules
        assert rules is not None  # noqa: S101 - its model plan has events
        live_since = self.options.live_since
        if live_since is None and record is not None and record.live_since is not None:
            live_since = parse_timestamp(record.live_since)
        events = replace(events, live_since=live_since)
        if not any(list_plan.upserts for list_plan in model_plan.lists):
            return events
        now = datetime.fromtimestamp(self.state.clock.now(), UTC)
        ((rows, old_rows, oldest),) = self.warehouse.fetch(
            sql.count_planned_events(model_plan.tables, live_since or now)
        )
        ((busy_days, most),) = self.warehouse.fetch(sql.count_busy_days(model_plan.tables, rules.max_per_day))
        events = replace(
            events,
            backfilled=rules.count_backfilled(int(rows), int(old_rows)),
            oldest=oldest.astimezone(UTC) if oldest is not None else None,
            busy_days=int(busy_days),
            most_per_day=int(most),
        )
        if self.options.live_since is not None or not rules.needs_live_since:
            return events
        return self._hold(events, model_plan, rules, record)

    def _hold(
        self, events: EventPlan, model_plan: ModelPlan, rules: EventRules, record: ModelRecord | None
    ) -> EventPlan:
        """Return the plan with why the state can't know which events were sent before, if it can't."""
        now = datetime.fromtimestamp(self.state.clock.now(), UTC)
        if any(list_plan.list_ref.removals_held for list_plan in model_plan.lists):
            return replace(
                events,
                hold_reason="The state may be older than what was sent, as after a restored backup: these "
                "events may have been sent before.",
                hold_hint=f"If there is a newer state, put it back. Otherwise run with {LIVE_SINCE_FLAG} "
                f"{now:%Y-%m-%dT%H:%M:%SZ}, then trust this state: reverse-etl state trust."
                f" {rules.describe_live_since()}",
            )
        if not any(list_plan.snapshot_rows for list_plan in model_plan.lists):
            sent = [
                run_list
                for run_list in self.state.runs.run_lists()
                if run_list.model == model_plan.model.name
                and any(run_list.counts.get(name, 0) for name in _SENT)
            ]
            if sent:
                started_at = f"{sent[0].started_at[:19]}Z"
                return replace(
                    events,
                    hold_reason=f"The state has no sent event of this model, though the run of {started_at} "
                    "sent some: a part of the state was lost.",
                    hold_hint=f"Say since when events start flows, for example since that run: "
                    f"{LIVE_SINCE_FLAG} {started_at}. {rules.describe_live_since()}",
                )
        if record is not None and record.live_since is not None:
            return events
        return replace(
            events,
            hold_reason=self._find_known_metrics(model_plan, rules),
            hold_hint=f"If this model never sent events: {LIVE_SINCE_FLAG} {now:%Y-%m-%dT%H:%M:%SZ}. "
            f"If a state was lost: the time of its last run. {rules.describe_live_since()}",
        )

    def _find_known_metrics(self, model_plan: ModelPlan, rules: EventRules) -> str:
        if self.klaviyo is None:
            return ""
        try:
            existing = self.klaviyo.get_metric_names()
        except KlaviyoError as error:  # also for want of a scope: other models go on
            return f"Whether events of this model were sent before can't be found out. {error}"
        known = sorted(existing & self._metrics(model_plan, rules))
        if not known:
            return ""
        more = (
            f" and {format_count(len(known) - _SHOWN_METRICS, 'more')}" if len(known) > _SHOWN_METRICS else ""
        )
        names = ", ".join(map(repr, known[:_SHOWN_METRICS]))
        return (
            f"Klaviyo has events of the metric {names}{more}, and the state does not know whether this model "
            "sent them: it never sent any, or the state was lost."
        )

    def _metrics(self, model_plan: ModelPlan, rules: EventRules) -> frozenset[str]:
        if rules.metric:
            return frozenset({rules.metric})
        names = self.warehouse.fetch(sql.select_metrics(model_plan.tables))
        return frozenset(str(name).strip() for (name,) in names)
