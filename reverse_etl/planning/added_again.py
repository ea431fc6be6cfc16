"""Which adds of a plan were on their list before: for them the list's flows may start again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state import State


def find_added_again(state: State, model_plans: Sequence[ModelPlan]) -> tuple[ModelPlan, ...]:
    """Return the plans, with what is known of adds that earlier runs removed from the same list.

    A journal has each of these people. Without one, the state has only how many rows each run removed.
    """
    if not any(map(_adds_members, model_plans)):
        return (*model_plans,)
    removals = {} if state.journal.settings else _find_removals(state)
    return tuple(_add_facts(state, plan, removals) if _adds_members(plan) else plan for plan in model_plans)


def _adds_members(model_plan: ModelPlan) -> bool:
    has_adds = any(list_plan.adds and not list_plan.first_load for list_plan in model_plan.lists)
    return model_plan.model.owns_members and has_adds


def _add_facts(
    state: State, model_plan: ModelPlan, removals: Mapping[tuple[str, str], Sequence[tuple[str, int]]]
) -> ModelPlan:
    name, settings = model_plan.model.name, state.journal.settings
    counts = state.journal.count_added_again(name, model_plan.tables.planned) if settings else {}
    if settings:
        model_plan = _mark_changes(state, model_plan, counts)
    return replace(
        model_plan,
        lists=tuple(
            replace(
                list_plan,
                added_again=counts.get(list_plan.list_ref.id, 0) if settings else None,
                removed_before=tuple(removals.get((name, list_plan.list_ref.id), ())),
            )
            for list_plan in model_plan.lists
        ),
    )


def _mark_changes(state: State, model_plan: ModelPlan, counts: Mapping[str, int]) -> ModelPlan:
    """Return the plan whose adds say if they were on their list before."""
    identities = [
        change.identity
        for list_plan in model_plan.lists
        if counts.get(list_plan.list_ref.id)
        for change in list_plan.sample
        if change.op == Op.ADD
    ]
    name, planned = model_plan.model.name, model_plan.tables.planned
    again = state.journal.find_added_again(name, planned, identities)
    return replace(
        model_plan,
        lists=tuple(
            replace(
                list_plan,
                sample=tuple(
                    replace(change, on_list_before=(list_plan.list_ref.id, change.identity) in again)
                    if change.op == Op.ADD
                    else change
                    for change in list_plan.sample
                ),
            )
            for list_plan in model_plan.lists
        ),
    )


def _find_removals(state: State) -> Mapping[tuple[str, str], Sequence[tuple[str, int]]]:
    """Return, by model and list id, (run, rows removed) of runs, newest first, whose people may not be back.

    They may all be back once later runs have added as many rows to the list.
    """
    added: dict[tuple[str, str], int] = defaultdict(int)
    removals: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for run_list in state.runs.run_lists():
        key = run_list.model, run_list.list_id
        adds, applied, removed = (run_list.counts.get(name, 0) for name in ("adds", "applied", "removed"))
        if removed > added[key]:
            removals[key].append((run_list.run_id, removed))
        added[key] += min(adds, applied)
    return removals
