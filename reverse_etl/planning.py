"""Planning: stage every selected model once, find its lists, and diff it. Nothing that is kept changes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl import lists
from reverse_etl.diff import diff
from reverse_etl.errors import Problem, UsageError
from reverse_etl.events import Staged as StagedEvent
from reverse_etl.events import Tell
from reverse_etl.names import choice
from reverse_etl.phrases import counted
from reverse_etl.plan import ModelPlan, Plan
from reverse_etl.stage import Staged, stage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.klaviyo import Klaviyo
    from reverse_etl.lists import ListRef
    from reverse_etl.models.model import Model
    from reverse_etl.state import KnownList, State
    from reverse_etl.target import Target
    from reverse_etl.warehouse import Warehouse


@dataclass(frozen=True)
class Wish:
    """What is asked of a plan.

    Every row again, only the first `limit` upserts, or a model keyed by other identifiers.
    """

    full_refresh: bool = False
    limit: int | None = None
    rekey: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Task:
    """What is to be made so: the `selected` models, in their order, of all those of the project.

    `target` says where to.
    """

    target: Target
    selected: tuple[Model, ...]
    project: tuple[Model, ...]
    wish: Wish


def plan(warehouse: Warehouse, state: State, klaviyo: Klaviyo | None, task: Task, tell: Tell) -> Plan:
    """Return the plan of the selected models, in the order given; its deltas lie in scratch tables.

    `klaviyo` is asked which lists there are; without it the state's word is taken, and unknown lists count as
    new. Raises ModelError where a model does not run, UsageError where its lists are not clear,
    WarehouseError and KlaviyoError where these fail.
    """
    staged: list[Staged] = []
    with warehouse.staging():
        for model in task.selected:
            begun = time.monotonic()
            staged.append(stage(warehouse, model, state.owner.table_key(model.name)))
            tell(StagedEvent(model.name, staged[-1].rows, time.monotonic() - begun))
    known = state.lists.known()
    destination = task.target.destination
    refs = {one.model.name: _lists(one, state, destination.lists, known, klaviyo) for one in staged}
    lists.refuse_shared(refs, known, [model.name for model in task.project])
    if klaviyo is not None:
        new = [(one.model, ref) for one in staged for ref in refs[one.model.name] if ref.new]
        lists.refuse_creation(new, klaviyo, allowed=destination.create_lists)
    plans = tuple(_diff(warehouse, state, one, refs[one.model.name], task.wish) for one in staged)
    return Plan(
        plans,
        looked_up=klaviyo is not None,
        unsettled=len(state.runs.dead()),
        notes=_notes(state, known, plans, task.project),
    )


def _lists(
    staged: Staged,
    state: State,
    mapping: Mapping[str, str],
    known: Sequence[KnownList],
    klaviyo: Klaviyo | None,
) -> tuple[ListRef, ...]:
    applied, uncertain = state.rows_by_list(staged.shape.key)
    return lists.resolve(staged.model, staged.list_names, mapping, known, klaviyo, {*applied, *uncertain})


def _diff(
    warehouse: Warehouse, state: State, staged: Staged, refs: Sequence[ListRef], wish: Wish
) -> ModelPlan:
    rekey = staged.model.name in wish.rekey
    return diff(warehouse, state, staged, refs, full_refresh=wish.full_refresh, limit=wish.limit, rekey=rekey)


def _notes(
    state: State, known: Sequence[KnownList], plans: Sequence[ModelPlan], project: Collection[Model]
) -> tuple[str, ...]:
    """Say what is left alone: lists that a model drove once, and models that are gone."""
    names = {entry.id: entry.name for entry in known}
    notes = [
        f"{plan.model.name} drove the list {names.get(list_id, list_id)!r} ({list_id}) before. "
        f"{counted(rows, 'row')} of it are left there as they are."
        for plan in plans
        for list_id, rows in plan.orphans
    ]
    existing = {model.name for model in project}
    notes += [
        f"The model {name} is gone; the members that it put on lists are left there."
        for name in state.models()
        if name not in existing
    ]
    return tuple(notes)


def unknown_models(named: Collection[str], project: Collection[Model], flag: str) -> None:
    """Raise UsageError for names given to a flag that are no models of the project."""
    unknown = sorted(set(named) - {model.name for model in project})
    if unknown:
        names = sorted(model.name for model in project)
        raise UsageError(
            *(Problem(f"There is no model {name}.", flag, choice(name, names)) for name in unknown)
        )
