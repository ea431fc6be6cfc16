"""Planning: stage every selected model once, find its lists, and diff it. Nothing that is kept changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.events import Staged as StagedEvent
from reverse_etl.domain.events import Tell
from reverse_etl.errors import Problem, UsageError
from reverse_etl.parsing.suggestions import choice
from reverse_etl.planning import lists
from reverse_etl.planning.diff import diff
from reverse_etl.planning.orphans import Orphan, most, perhaps_renamed
from reverse_etl.planning.plan import ModelPlan, Plan, Wish
from reverse_etl.planning.stage import Staged, stage
from reverse_etl.state.runs import driven_last

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.state import KnownList, State
    from reverse_etl.warehouse.interface import Warehouse

_MOST_LOOKED_UP = 20  # orphans: each takes a request, and a model may leave hundreds


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
            begun = state.clock.monotonic()
            staged.append(stage(warehouse, model, state.owner.table_key(model.name)))
            tell(StagedEvent(model.name, staged[-1].rows, state.clock.monotonic() - begun))
    known = state.lists.known()
    destination = task.target.destination
    driven = driven_last(state.runs.past_lists())
    refs = {
        one.model.name: _in_doubt(_lists(one, state, destination.lists, known, klaviyo), one, known, driven)
        for one in staged
    }
    lists.refuse_shared(refs, known, task.project)
    if klaviyo is not None:
        new = [(one.model, ref) for one in staged for ref in refs[one.model.name] if ref.new]
        lists.refuse_creation(new, klaviyo, allowed=destination.create_lists)
    plans = tuple(diff(warehouse, state, one, refs[one.model.name], task.wish) for one in staged)
    orphans = tuple(_orphans(state, known, plans, task.project, klaviyo))
    notes, news = _notes(state, orphans)
    renamed = perhaps_renamed(state)
    return Plan(
        plans,
        looked_up=klaviyo is not None,
        unsettled=len(state.runs.dead()),
        notes=(*renamed, *notes),
        news=(*renamed, *news),
        orphans=orphans,
        account=state.owner.account,
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


def _in_doubt(
    refs: Sequence[ListRef],
    staged: Staged,
    known: Sequence[KnownList],
    driven: Mapping[str, frozenset[str]],
) -> tuple[ListRef, ...]:
    """Return the lists of a model with whether it drove each of them last. `driven` are each model's last."""
    name = staged.model.name
    others = {entry.id: entry.model for entry in known if entry.id and entry.model != name}
    mine = driven.get(name)
    return tuple(
        replace(
            ref,
            taken_over=others.get(ref.id, ""),
            come_back=mine is not None and bool(ref.id) and not ref.new and ref.id not in mine,
        )
        for ref in refs
    )


def _orphans(
    state: State,
    known: Sequence[KnownList],
    plans: Sequence[ModelPlan],
    project: Collection[Model],
    klaviyo: Klaviyo | None,
) -> Iterator[Orphan]:
    """Yield the lists that are left alone: a model drove them once, or is gone itself."""
    existing = {model.name for model in project}
    left = [(plan.model.name, list_id, rows) for plan in plans for list_id, rows in plan.orphans]
    for sent in state.models().values():
        if sent.name not in existing:
            left += [(sent.name, *rows) for rows in most(*state.rows_by_list(sent.table_key)).items()]
    names = {entry.id: entry.name for entry in known}
    others = existing - {plan.model.name for plan in plans}
    owners = {entry.id: entry.model for entry in known if entry.model in others}
    owners |= {one.list.id: plan.model.name for plan in plans for one in plan.lists}
    for number, (model, list_id, rows) in enumerate(left):
        asked = klaviyo if number < _MOST_LOOKED_UP else None
        if list_id:  # '' is of a surface that has no lists: nobody is on one
            yield Orphan(
                model,
                list_id,
                names.get(list_id, list_id),
                rows,
                gone=model not in existing,
                owner=owners.get(list_id, ""),
                deleted=asked is not None and asked.list(list_id) is None,
            )


def _notes(state: State, orphans: Sequence[Orphan]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is said of orphans, and what of it is news: the last run drove that list still.

    Of a list that is deleted there is nothing to say but once.
    """
    if not orphans:
        return (), ()
    past = state.runs.past_lists()
    driven = driven_last(past)
    newest = past[0].run_id if past else ""
    ran = {one.model for one in past if one.run_id == newest}
    news = [
        one
        for one in orphans
        if one.list_id in driven.get(one.model, ()) and (not one.gone or one.model in ran)
    ]
    return (
        tuple(one.told() for one in orphans if one in news or not one.deleted),
        tuple(one.told() for one in news),
    )


def unknown_models(named: Collection[str], project: Collection[Model], flag: str) -> None:
    """Raise UsageError for names given to a flag that are no models of the project."""
    unknown = sorted(set(named) - {model.name for model in project})
    if unknown:
        names = sorted(model.name for model in project)
        raise UsageError(
            *(Problem(f"There is no model {name}.", flag, choice(name, names)) for name in unknown)
        )
