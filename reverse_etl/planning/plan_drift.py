"""Compares a saved plan with today's target, account and plan: `apply` sends nothing if they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import GuardRefused, Problem, UsageError
from reverse_etl.planning.lists import placeholder_id
from reverse_etl.planning.plan_request import PlanRequest
from reverse_etl.planning.saved_plan import to_saved_lists, to_saved_models
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.models.model import Model
    from reverse_etl.models.project_models import ProjectModels
    from reverse_etl.planning.plan import Plan
    from reverse_etl.planning.saved_plan import SavedList, SavedPlan
    from reverse_etl.state.runs import RunList

_PLAN_AGAIN_HINT: Final = (
    "Nothing was sent. Plan again with the same options, review the plan and save it: "
    "reverse-etl plan --out FILE"
)
_CHANGES: Final = ("adds", "updates", "removes")
_MAX_RUNS: Final = 3  # that are named


def build_saved_request(target: Target, models: ProjectModels, saved_plan: SavedPlan) -> PlanRequest:
    """Return what a saved plan asks for. Raises UsageError if it is one of another target."""
    require_same_target(saved_plan, target)
    by_name = {model.name: model for model in models.all}
    selected = models.compilation.require(
        [by_name[name] for name in saved_plan.model_names if name in by_name]
    )
    return PlanRequest(target, selected, models.all, saved_plan.options)


def require_same_target(saved_plan: SavedPlan, target: Target) -> None:
    """Raise UsageError if a plan was made for another profile or target."""
    if (saved_plan.profile, saved_plan.destination_id) != (target.profile, target.destination_id):
        raise UsageError.of(
            f"The plan was made for the target {saved_plan.destination_id!r} of the profile "
            f"{saved_plan.profile!r}; "
            f"this is {target.destination_id!r} of {target.profile!r}.",
            hint="Remove --profile and --target, since apply takes them from the plan. "
            "Or save a new plan for this target.",
        )


def require_same_account(saved_plan: SavedPlan, account: str) -> None:
    """Raise UsageError if the key belongs to another account than the plan's."""
    if saved_plan.account not in {"", account}:
        raise UsageError.of(
            f"The plan was made for the Klaviyo account {saved_plan.account}; "
            f"the key belongs to the account {account}.",
            hint=f"Use a key of {saved_plan.account}, or save a new plan with this key.",
        )


def require_same_models(saved_plan: SavedPlan, models: Iterable[Model]) -> None:
    """Raise GuardRefused if a model of the plan has changed or was removed."""
    if changed := find_changed_models(saved_plan, {model.name: model.checksum for model in models}):
        raise GuardRefused(*changed).with_cause(StopCause.PLAN_DIFFERS)


def find_changed_models(saved_plan: SavedPlan, checksums: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return a problem for each model that changed since the plan; `checksums` are today's, by name."""
    changed_names = [model.name for model in saved_plan.models if checksums.get(model.name) != model.checksum]
    verbs = {name: "changed" if name in checksums else "was removed" for name in changed_names}
    return tuple(
        Problem(
            f"The model {name} {verb} since the plan was saved.", f"model {name}", _PLAN_AGAIN_HINT, (name,)
        )
        for name, verb in verbs.items()
    )


def find_plan_drift(
    saved_plan: SavedPlan, plan: Plan, run_lists: Sequence[RunList] = ()
) -> tuple[Problem, ...]:
    """Return how today's plan differs from a saved one; empty if they are equal, row by row.

    `run_lists` are the results of earlier runs, newest first: they show which run applied the plan.
    """
    hint = _PLAN_AGAIN_HINT
    if not _sends_rows(plan):
        hint = f"{_describe_application(saved_plan, run_lists)} {_PLAN_AGAIN_HINT}"
    differences = [
        Problem(f"{entry.list or entry.model}: {difference}.", f"model {entry.model}", hint, (entry.model,))
        for saved_list, current_list in _pair_lists(saved_plan.lists, to_saved_lists(plan))
        if (entry := current_list or saved_list)
        and (difference := _describe_difference(saved_list, current_list))
    ]
    if differences:
        return tuple(differences)
    digests = {model.name: model.digest for model in saved_plan.models}
    return tuple(
        Problem(
            f"{model.name} would send as many rows as planned, but different rows or values.",
            f"model {model.name}",
            hint,
            (model.name,),
        )
        for model in to_saved_models(plan)
        if digests.get(model.name) != model.digest
    )


def _describe_application(saved_plan: SavedPlan, run_lists: Sequence[RunList]) -> str:
    """Return which run applied a plan of which nothing is left, or which runs may have done so."""
    made_at = saved_plan.made_at.removesuffix("Z")
    runs: dict[str, list[RunList]] = {}
    for run_list in run_lists:
        if run_list.started_at.removesuffix("Z") >= made_at:
            runs.setdefault(run_list.run_id, []).append(run_list)
    for run_id, lists in reversed(runs.items()):
        if _has_planned_figures(saved_plan, lists):
            return f"The plan was applied already, by the run {run_id} of {_format_start(lists)}."
    sent = [
        f"{run_id} of {_format_start(lists)}"
        for run_id, lists in reversed(runs.items())
        if {run_list.model for run_list in lists} & {*saved_plan.model_names}
    ]
    names = f": {', '.join(sent[-_MAX_RUNS:])}" if sent else ""
    since = f" Runs since it was saved{names}." if names else ""
    return f"The plan may have been applied already.{since}"


def _has_planned_figures(saved_plan: SavedPlan, lists: Iterable[RunList]) -> bool:
    """Return whether a run planned, for each list of a saved plan, as many changes as the plan says."""
    counts = {(run_list.model, run_list.list_name): run_list.counts for run_list in lists}
    return all(
        saved_list.figures.get(name, 0) == counts.get((saved_list.model, saved_list.list), {}).get(name, 0)
        for saved_list in saved_plan.lists
        for name in _CHANGES
    )


def _format_start(lists: Sequence[RunList]) -> str:
    return f"{lists[0].started_at[:16].replace('T', ' ')} UTC"


def needs_nothing(plan: Plan) -> bool:
    """Return whether a plan has nothing to send and nothing to look at, as after it was applied."""
    return not _sends_rows(plan) and not any(
        list_plan.deferred
        or list_plan.held_at_plan
        or list_plan.stop_reason
        or list_plan.list_ref.fault
        or any(rejected.new_rows for rejected in list_plan.check_rejections)
        for _, list_plan in plan.list_plans()
    )


def _sends_rows(plan: Plan) -> bool:
    return any(list_plan.upserts or list_plan.leaving for _, list_plan in plan.list_plans())


def _describe_difference(saved_list: SavedList | None, current_list: SavedList | None) -> str:
    """Return how a list differs from the saved plan, '' if it does not."""
    if saved_list is None:
        return "not in the plan"
    if current_list is None:
        return "no longer a list of this model"
    differences = [
        f"{name.replace('_', ' ')} {saved_rows:,}, now {current_rows:,}"
        for name, current_rows in current_list.figures.items()
        if (saved_rows := saved_list.figures.get(name, 0)) != current_rows
    ]
    if saved_list.list_id != current_list.list_id:
        created = f"the list did not exist, now it is {current_list.list_id}"
        differences.insert(
            0,
            created
            if saved_list.list_id == placeholder_id(saved_list.list)
            else f"list id {saved_list.list_id}, now {current_list.list_id}",
        )
    return "; ".join(differences)


def _pair_lists(
    saved_lists: Sequence[SavedList], current_lists: Sequence[SavedList]
) -> Iterator[tuple[SavedList | None, SavedList | None]]:
    """Yield pairs of a saved list and the current one: matched by list id, then by name."""
    saved_by_key, current_by_key = (
        {(saved_list.model, saved_list.list_id, saved_list.list): saved_list for saved_list in lists}
        for lists in (saved_lists, current_lists)
    )
    yield from ((saved_by_key[key], current_by_key[key]) for key in current_by_key if key in saved_by_key)
    unmatched = {
        (saved_list.model, saved_list.list): saved_list
        for key, saved_list in saved_by_key.items()
        if key not in current_by_key
    }
    yield from (
        (unmatched.pop((saved_list.model, saved_list.list), None), saved_list)
        for key, saved_list in current_by_key.items()
        if key not in saved_by_key
    )
    yield from ((saved_list, None) for saved_list in unmatched.values())
