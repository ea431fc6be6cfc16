"""Applies the guards to a plan: marks the lists that they stop, and keeps their rows out of what is sent."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.planning.guards import check_guards
from reverse_etl.planning.removal_holds import find_unsafe_repeats
from reverse_etl.planning.sql import stopped_lists as sql
from reverse_etl.planning.sql.planned_rows import count_planned_by_list
from reverse_etl.state import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.planning.plan_options import PlanOptions
    from reverse_etl.planning.violations import Allowances, Violation
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse

_SAMPLED_PER_STATEMENT = 5_000
_UNFINISHED_COUNTS = ("deferred", "not_sent", "accepted", "unknown")


def add_guard_facts(
    warehouse: Warehouse, state: State, model_plans: Sequence[ModelPlan], options: PlanOptions
) -> tuple[ModelPlan, ...]:
    """Return the plans with what the guards need to know of earlier runs.

    That is whether a list is in its first load, whether the model changed since it was last sent, and which
    rows do not count because somebody asked for them or an earlier run sent them.
    """
    loaded_lists, records = _find_loaded_lists(state), state.models.records()
    tasks = [partial(_count_resent, warehouse, model_plan) for model_plan in model_plans]
    plans = []
    for model_plan, resent in zip(model_plans, warehouse.run_each(tasks), strict=True):
        record = records.get(model_plan.model.name)
        changed = record is not None and record.checksum != model_plan.model.checksum
        list_plans = tuple(
            replace(
                list_plan,
                first_load=not list_plan.has_no_list
                and (model_plan.model.name, list_plan.list_ref.id) not in loaded_lists,
                exempt_adds=max(list_plan.exempt_adds, resent.get((list_plan.list_ref.id, Op.ADD), 0)),
                exempt_updates=list_plan.updates
                if changed or options.full_refresh
                else resent.get((list_plan.list_ref.id, Op.UPDATE), 0),
            )
            for list_plan in model_plan.lists
        )
        plans.append(
            replace(
                model_plan, lists=list_plans, full_refresh=options.full_refresh, changed_since_sent=changed
            )
        )
    return tuple(plans)


def _find_loaded_lists(state: State) -> frozenset[tuple[str, str]]:
    """Return (model, list id) of the lists whose first load is over: a settled run left nothing unsent."""
    settled_runs = {
        run.run_id for run in state.runs.history() if run.state in {RunState.ENDED, RunState.RECOVERED}
    }
    return frozenset(
        (run_list.model, run_list.list_id)
        for run_list in state.runs.run_lists()
        if run_list.run_id in settled_runs
        and run_list.stop_cause is None
        and not any(run_list.counts.get(name, 0) for name in _UNFINISHED_COUNTS)
    )


def _count_resent(warehouse: Warehouse, model_plan: ModelPlan) -> Mapping[tuple[str, str], int]:
    """Return the uncertain rows by (list id, op). They are counted only if a guard might trip without it."""
    config = model_plan.model.config
    may_trip = any(
        list_plan.adds > config.max_adds.allowed_rows(list_plan.snapshot_rows)
        or list_plan.updates > config.max_updates.allowed_rows(list_plan.snapshot_rows)
        for list_plan in model_plan.lists
    )
    if not may_trip:
        return {}
    rows = warehouse.fetch(sql.count_resent(model_plan.tables))
    return {(list_id, op): int(number) for list_id, op, number in rows}


def apply_guards(warehouse: Warehouse, plan: Plan, allowances: Allowances) -> Plan:
    """Return the plan with the guards that trip and the lists that they stop.

    In the plan's tables the stopped lists keep no upserts, and their removes are deferred. Removals of other
    lists are held if their person is on a stopped list. If all lists are stopped, the tables stay.
    """
    violations = (*check_guards(plan.models, allowances), *find_unsafe_repeats(plan.models))
    if not violations:
        return plan
    models = tuple(_mark_stopped(model_plan, violations) for model_plan in plan.models)
    stopped = replace(plan, models=models, violations=violations)
    if not stopped.is_stopped:
        models = _keep_back_stopped(warehouse, models)
    return replace(stopped, models=models)


def _mark_stopped(model_plan: ModelPlan, violations: Sequence[Violation]) -> ModelPlan:
    return replace(
        model_plan,
        lists=tuple(
            replace(list_plan, stop_reason=_stop_reason(model_plan, list_plan, violations))
            for list_plan in model_plan.lists
        ),
    )


def _stop_reason(model_plan: ModelPlan, list_plan: ListPlan, violations: Sequence[Violation]) -> str:
    list_id = None if list_plan.has_no_list else list_plan.list_ref.id
    return " ".join(
        violation.problem.summary
        for violation in violations
        if violation.stops(model_plan.model.name, list_id)
    )


def _keep_back_stopped(warehouse: Warehouse, model_plans: Sequence[ModelPlan]) -> tuple[ModelPlan, ...]:
    stopped = [(model_plan, model_plan.stopped_list_ids) for model_plan in model_plans]
    for model_plan, list_ids in stopped:
        if list_ids:
            for statement in sql.keep_back(model_plan.tables, list_ids):
                warehouse.execute(statement)
    held = []
    for model_plan in model_plans:
        if not any(list_plan.leaving and not list_plan.stop_reason for list_plan in model_plan.lists):
            held.append(model_plan)
            continue
        for stopped_plan, list_ids in stopped:
            if list_ids:
                has_snapshot = bool(warehouse.state_columns(stopped_plan.tables.snapshot))
                warehouse.execute(
                    sql.hold_removals_of_people(
                        model_plan.tables, stopped_plan.tables, list_ids, has_snapshot=has_snapshot
                    )
                )
        held.append(_recount_removals(warehouse, model_plan))
    return tuple(
        replace(model_plan, has_deferred_removals=model_plan.has_deferred_removals or _defers(model_plan))
        for model_plan in held
    )


def _recount_removals(warehouse: Warehouse, model_plan: ModelPlan) -> ModelPlan:
    """Return a plan with the removes and held rows of its lists as its table has them now."""
    counts = {
        (list_id, op): rows
        for list_id, op, rows, *_ in warehouse.fetch(count_planned_by_list(model_plan.tables))
    }
    held = _find_held_in_samples(warehouse, model_plan)
    return replace(
        model_plan,
        lists=tuple(
            list_plan
            if list_plan.stop_reason or list_plan.has_no_list
            else replace(
                list_plan,
                held_at_plan=(held_rows := counts.get((list_plan.list_ref.id, Op.HELD), 0)),
                held_by_stops=held_rows - list_plan.held_at_plan,
                sample=tuple(
                    replace(change, op=Op.HELD)
                    if (list_plan.list_ref.id, change.identity) in held
                    else change
                    for change in list_plan.sample
                ),
            ).count_leaving(
                counts.get((list_plan.list_ref.id, Op.REMOVE), 0),
                sends_removes=model_plan.model.config.surface.remove is not None,
            )
            for list_plan in model_plan.lists
        ),
    )


def _find_held_in_samples(warehouse: Warehouse, model_plan: ModelPlan) -> frozenset[tuple[str, str]]:
    """Return (list id, identity) of the held removals that the samples, made before, show as removes."""
    removes = (
        change.identity
        for list_plan in model_plan.lists
        for change in list_plan.sample
        if change.op == Op.REMOVE
    )
    return frozenset(
        (list_id, identity)
        for identities in batched(removes, _SAMPLED_PER_STATEMENT)
        for list_id, identity in warehouse.fetch(sql.select_held(model_plan.tables, identities))
    )


def _defers(model_plan: ModelPlan) -> bool:
    """Return whether removals of the model wait, because their list is stopped or shares people with one."""
    return any(
        list_plan.held_at_plan or (list_plan.stop_reason and list_plan.leaving)
        for list_plan in model_plan.lists
    )
