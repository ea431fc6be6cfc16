"""The run: settle what is open, plan, guard, deliver, and say what came of every row."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.deliver import deliver
from reverse_etl.delivery.list_creation import create
from reverse_etl.delivery.outcomes import Tally
from reverse_etl.delivery.recovery import recover
from reverse_etl.delivery.results import ListResult, RunResult, counts, exit_code
from reverse_etl.domain.events import Event, ListCreated, Tell
from reverse_etl.domain.timestamps import written
from reverse_etl.errors import GuardRefused
from reverse_etl.planning import planner as planning
from reverse_etl.planning.guards import guard
from reverse_etl.planning.saved_plan import moved
from reverse_etl.planning.sql import diff as sql
from reverse_etl.planning.sql import staging
from reverse_etl.state import Begun, RunEnd, SentModel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from reverse_etl.config.target import Target
    from reverse_etl.delivery.context import At
    from reverse_etl.planning.plan import ListPlan, ModelPlan, Plan
    from reverse_etl.planning.planner import Task
    from reverse_etl.planning.saved_plan import SavedPlan


def run(
    at: At,
    task: Task,
    allowed_removes: Collection[str],
    *,
    strict: bool,
    saved: SavedPlan | None = None,
) -> RunResult:
    """Make the lists of the selected models what the models say; of a `saved` plan just what that says.

    Raises GuardRefused before the first write of a dangerous plan, and of one that is not the saved one.
    """
    at.warehouse.tag(run=at.run_id)
    with at.state.lease():
        recover(at)
        plan = planning.plan(at.warehouse, at.state, at.klaviyo, task, _beating(at))
        other = moved(saved, plan) if saved else ()
        if problems := other or guard(plan.models, allowed_removes):
            why = [f"{problem.what} At {problem.where}." for problem in problems]
            at.state.runs.refuse(at.run_id, task.target.place, why, GuardRefused.exit_code)
            raise GuardRefused(*problems)
        plan = _with_lists(at, plan)
        at = replace(at, begun=_klaviyo_time(at))
        _begin(at, task.target, plan)
        _own(at, plan)
        results: list[ListResult] = []
        tallies: list[Tally] = []
        for model in plan.models:
            done = (
                tuple(Tally() for _ in model.lists)
                if model.idle
                else _deliver_model(at, plan, model, tallies)
            )
            tallies += done
            results += [
                ListResult(model.model.name, one, dict(tally.counts), tally.reason, tally.failed)
                for one, tally in zip(model.lists, done, strict=True)
            ]
        result = RunResult(at.run_id, plan, tuple(results), exit_code(results, strict=strict))
        _end(at, result, settled=not any(tally.unended for tally in tallies))
        return result


def _deliver_model(at: At, plan: Plan, model: ModelPlan, before: Sequence[Tally]) -> tuple[Tally, ...]:
    """Deliver one model, and forget what was not sent.

    Where the run sends anybody, of any model, the rows whose removal was not made are in doubt first.
    """
    tallies = deliver(at, model, before)
    if plan.sends:
        at.state.doubt_unsent(at.run_id, model.model.name, model.shape)
    at.state.forget_unsent(at.run_id, model.model.name, model.shape)
    return tallies


def _beating(at: At) -> Tell:
    """Return what keeps the lease while models are staged, and tells of it."""

    def tell(event: Event) -> None:
        at.state.heartbeat()
        at.tell(event)

    return tell


def _klaviyo_time(at: At) -> datetime:
    """Return Klaviyo's time now.

    Whoever joined a list by himself while models were staged was there before this run.
    """
    next(at.klaviyo.jobs_since(at.klaviyo.server_time), None)  # any cheap request: its reply tells the time
    return at.klaviyo.server_time


def _with_lists(at: At, plan: Plan) -> Plan:
    """Create the missing lists, and give the plan and its deltas their ids."""
    return replace(plan, models=tuple(_create_lists(at, model) for model in plan.models))


def _create_lists(at: At, plan: ModelPlan) -> ModelPlan:
    dialect, shape = at.warehouse.dialect, plan.shape
    made: list[ListPlan] = []
    ids: dict[str, str] = {}
    for one in plan.lists:
        ref = one.list
        if ref.new:
            at.state.still_leased()  # whoever lost the lease while planning must not create
            ref = create(ref, plan.model.name, at.state, at.klaviyo, at.clock)
            at.tell(ListCreated(ref.name, ref.id))
            ids[one.list.id] = ref.id
        made.append(replace(one, list=ref))
    if ids:
        at.warehouse.execute(sql.name_lists(dialect, shape, ids))
        for statement in staging.set_lists(
            dialect, shape, {one.list.row_name: one.list.id for one in made if one.list.id}
        ):
            at.warehouse.execute(statement)
    return replace(plan, lists=tuple(made))


def _begin(at: At, target: Target, plan: Plan) -> None:
    """Make the plan's deltas uncertain, before the first of them is sent."""
    begun = []
    for model in plan.models:
        config = model.model.config
        identifiers = tuple((kind.value, name) for kind, name in config.identifiers.items())
        sent = SentModel(
            model.model.name, model.shape.key, config.surface.value, identifiers, model.model.checksum
        )
        doubted = [one.list.id for one in model.lists if one.list.doubted]
        begun.append(
            Begun(sent, model.shape, model.rekeyed, plan.former(model), doubted, model.waiting and plan.sends)
        )
    at.state.begin(at.run_id, target.place, written(at.begun), begun)
    for model in plan.models:
        at.state.rejections.note_checks(at.run_id, model.model.name, model.shape)


def _own(at: At, plan: Plan) -> None:
    """Note which model drives which list, once the rows of which it is in doubt are uncertain."""
    at.state.lists.own(
        [(one.list.id, one.list.name, model.model.name) for model, one in plan.lists() if one.list.id]
    )


def _end(at: At, result: RunResult, *, settled: bool) -> None:
    rows = [
        (one.model, one.plan.list.id, one.plan.list.name, json.dumps(counts(one)), one.reason)
        for one in result.lists
    ]
    end = RunEnd.ENDED if settled else RunEnd.UNSETTLED
    at.state.runs.end(at.run_id, end, result.exit_code, rows)
