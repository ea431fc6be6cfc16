"""The guards: limits on a plan, checked before the first write of any model. Pure.

A guard that trips stops its list, or its model if the list is not known; other lists are delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.errors import Problem
from reverse_etl.formatting import format_count, format_percent
from reverse_etl.planning.guard_wording import (
    describe_rejections,
    rejected_columns_hint,
    too_few_rows_text,
)
from reverse_etl.planning.violations import Guard, Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.planning.violations import Allowances
    from reverse_etl.surfaces.interface import GuardLimit

MAX_NEW_LISTS: Final = 5  # in one run; Klaviyo allows 150 a day


def check_guards(model_plans: Sequence[ModelPlan], allowances: Allowances) -> tuple[Violation, ...]:
    """Return the guards that trip; empty if all of the plan may run."""
    violations = (
        *(
            violation
            for model_plan in model_plans
            for list_plan in model_plan.lists
            for violation in (
                *_check_list(model_plan, list_plan),
                *_check_deletions(model_plan, list_plan, allowances),
            )
        ),
        *_check_new_lists(model_plans, allowances),
    )
    return tuple(
        violation
        for violation in violations
        if violation.guard is None or not allowances.allows(violation.guard, violation.model)
    )


def exempt_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return, for each count that exceeds its limit and does not trip the guard, the reason."""
    config, rows_before = model_plan.model.config, list_plan.snapshot_rows
    counts = (
        ("updates", list_plan.updates, list_plan.checked_updates, config.max_updates),
        ("adds", list_plan.adds, list_plan.checked_adds, config.max_adds),
    )
    return [
        f"{rows:,} {name} exceed the limit of {limit.allowed_rows(rows_before):,}, and may be sent: "
        f"{_exemption_reason(model_plan, name)}"
        for name, rows, checked, limit in counts
        if rows > limit.allowed_rows(rows_before) >= checked and not (name == "adds" and list_plan.first_load)
    ]


def _exemption_reason(model_plan: ModelPlan, name: str) -> str:
    if name == "updates" and model_plan.full_refresh:
        return "--full-refresh sends every row"
    if name == "updates" and model_plan.changed_since_sent:
        return "the model's SQL or config changed"
    return "earlier runs sent these rows or were asked to send them"


def _check_list(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    """Yield the guards that a list trips, all of them if several do."""
    if list_plan.has_no_list:
        yield from _check_rejected(model_plan, list_plan, None)
        return
    if list_plan.rows + list_plan.withheld < model_plan.model.config.min_rows:
        yield _too_few_rows(model_plan, list_plan)
    else:
        yield from _check_rejected(model_plan, list_plan, list_plan.list_ref.id)
    if model_plan.model.config.surface.remove is not None and not _is_reported_as_empty(
        model_plan, list_plan
    ):
        yield from _check_removes(model_plan, list_plan)
    yield from _check_adds(model_plan, list_plan)
    yield from _check_updates(model_plan, list_plan)
    yield from _check_clears(model_plan, list_plan)
    yield from _check_moved(model_plan, list_plan)
    yield from _check_requests(model_plan, list_plan)
    yield from _check_events(model_plan, list_plan)


def _is_reported_as_empty(model_plan: ModelPlan, list_plan: ListPlan) -> bool:
    """Return whether `_too_few_rows` says that a model has no rows: all that it sent would be removed.

    The same flag allows both guards. With `min_rows` 0, or rejected rows, the removals are reported.
    """
    rows = list_plan.rows + list_plan.withheld
    return not rows and model_plan.model.config.min_rows > 0 and not list_plan.check_rejections


def _too_few_rows(model_plan: ModelPlan, list_plan: ListPlan) -> Violation:
    guard = Guard.REJECTED if list_plan.check_rejections else Guard.REMOVES
    advice = (
        rejected_columns_hint(model_plan, list_plan)
        if list_plan.check_rejections
        else "Check the model's SQL and the tables that it reads."
    )
    return _violation(guard, model_plan, list_plan, too_few_rows_text(model_plan, list_plan), advice)


def _check_rejected(model_plan: ModelPlan, list_plan: ListPlan, list_id: str | None) -> Iterator[Violation]:
    """Yield a violation if too many rows are newly rejected.

    During a first load, and for rows without a list, the share is of the rows that the model returned: there
    are no rows before.
    """
    newly_rejected = sum(rejection.new_rows for rejection in list_plan.check_rejections)
    if list_id is None:
        rows_before = sum(list_plan.rows + list_plan.rejected_by_check for list_plan in model_plan.lists)
    elif list_plan.first_load:
        rows_before = max(list_plan.snapshot_rows, list_plan.rows + list_plan.rejected_by_check)
    else:
        rows_before = list_plan.snapshot_rows
    limit = model_plan.model.config.max_rejected
    if newly_rejected > limit.allowed_rows(rows_before):
        summary = (
            f"{format_count(newly_rejected, 'row is', 'rows are')} newly rejected "
            f"({describe_rejections(list_plan, only_new=True)}); "
            f"{_limit_text(limit, 'max_rejected', rows_before)}. Nothing was sent."
        )
        hint = rejected_columns_hint(model_plan, list_plan)
        yield _violation(Guard.REJECTED, model_plan, list_plan, summary, hint)


def _check_removes(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    limit, rows_before = model_plan.model.config.max_removes, list_plan.snapshot_rows
    if list_plan.leaving > limit.allowed_rows(rows_before):
        share = list_plan.leaving / rows_before if rows_before else 1.0
        summary = (
            f"{list_plan.leaving:,} of {format_count(rows_before, 'row')} would be removed "
            f"({format_percent(share)}); {_limit_text(limit, 'max_removes', rows_before)}. Nothing was sent."
        )
        hint = "Check the model's SQL and the tables that it reads."
        yield _violation(Guard.REMOVES, model_plan, list_plan, summary, hint)


def _check_adds(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    limit, rows_before = model_plan.model.config.max_adds, list_plan.snapshot_rows
    if not list_plan.first_load and list_plan.checked_adds > limit.allowed_rows(rows_before):
        summary = (
            f"{format_count(list_plan.checked_adds, 'row')} would be added to {rows_before:,}; "
            f"{_limit_text(limit, 'max_adds', rows_before)}. Nothing was sent."
        )
        flows = (
            " Flows that start when somebody joins the list would start for all of them."
            if model_plan.model.config.surface.has_list
            else ""
        )
        name = model_plan.model.name
        hint = (
            f"Check the model's SQL and the tables that it reads.{flows} To send a few rows first: "
            f"reverse-etl run --select {name} --limit 10."
        )
        yield _violation(Guard.ADDS, model_plan, list_plan, summary, hint)


def _check_updates(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    limit, rows_before = model_plan.model.config.max_updates, list_plan.snapshot_rows
    if list_plan.checked_updates > limit.allowed_rows(rows_before):
        share = list_plan.checked_updates / rows_before if rows_before else 1.0
        summary = (
            f"{list_plan.checked_updates:,} of {format_count(rows_before, 'row')} would be updated "
            f"({format_percent(share)}), and the model has not changed; "
            f"{_limit_text(limit, 'max_updates', rows_before)}. Nothing was sent."
        )
        hint = (
            "Check the model's SQL and the tables that it reads. To see which values change: "
            f"reverse-etl plan --select {model_plan.model.name}."
        )
        yield _violation(Guard.UPDATES, model_plan, list_plan, summary, hint)


def _check_clears(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    """Yield a violation if values of too many rows would be cleared, whether the model has changed or not."""
    limit, rows_before = model_plan.model.config.max_clears, list_plan.snapshot_rows
    checked = list_plan.clears - list_plan.exempt_clears
    if checked > limit.allowed_rows(rows_before):
        summary = (
            f"Values of {checked:,} of {format_count(rows_before, 'row')} became NULL and would be cleared "
            f"({format_percent(checked / rows_before if rows_before else 1.0)}); "
            f"{_limit_text(limit, 'max_clears', rows_before)}. Nothing was sent."
        )
        hint = (
            "Check the model's SQL and the tables that it reads: a join that finds nothing gives NULLs, "
            "and a cleared value is lost. To see which values: "
            f"reverse-etl plan --select {model_plan.model.name}."
        )
        yield _violation(Guard.CLEARS, model_plan, list_plan, summary, hint)


def _check_moved(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    """Yield a violation if too many known rows have another time: most likely each run computes it."""
    surface, rows_before = model_plan.model.config.surface, list_plan.snapshot_rows
    limit = surface.guards.max_moved
    if limit is not None and list_plan.moved > limit.allowed_rows(rows_before):
        names = " and ".join(past_time.column for past_time in surface.columns.past_times)
        share = list_plan.moved / rows_before if rows_before else 1.0
        summary = (
            f"{names} moved for {list_plan.moved:,} of {format_count(rows_before, 'row')} "
            f"({format_percent(share)}); the limit is {limit.allowed_rows(rows_before):,} "
            f"({format_percent(limit.share)}). Nothing was sent."
        )
        hint = (
            f"Check that {names} is the time at which people acted, and not one of the load. To see which "
            f"values change: reverse-etl plan --select {model_plan.model.name}."
        )
        yield _violation(Guard.UPDATES, model_plan, list_plan, summary, hint)


def _check_requests(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    config, requests = model_plan.model.config, model_plan.estimate_requests()
    number = sum(requests.values())
    if not number or not config.surface.described_by_model:
        return
    if config.surface.unsafe:
        names = ", ".join(f"{endpoint.method} {endpoint.template}" for endpoint in requests)
        summary = f"The model is marked unsafe, and would send {format_count(number, 'request')} ({names})."
        hint = f"Look at them first: reverse-etl debug --request {model_plan.model.name}."
        yield _violation(Guard.REQUEST, model_plan, list_plan, f"{summary} Nothing was sent.", hint)
    elif (limit := config.surface.max_requests) is not None and number > limit:
        summary = f"{format_count(number, 'request')} would be sent; max_requests is {limit:,}."
        hint = (
            "Check the model's SQL and the tables that it reads, "
            "or send many rows in one request (mode='many')."
        )
        yield _violation(Guard.REQUEST, model_plan, list_plan, f"{summary} Nothing was sent.", hint)


def _check_events(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Violation]:
    """Yield a violation if people have too many events on a day, or if the state can't know what was sent."""
    events, name, rules = (
        model_plan.events,
        model_plan.model.name,
        model_plan.model.config.surface.event_rules,
    )
    if events is not None and rules is not None and events.busy_days:
        summary = (
            f"A person has more than {rules.max_per_day:,} events on a day "
            f"({format_count(events.busy_days, 'time')}, the most {events.most_per_day:,}; max_per_day). "
            "Nothing was sent."
        )
        hint = (
            "Check the model's SQL and the tables that it reads: a join may repeat rows, "
            "or many rows have one identifier."
        )
        yield _violation(Guard.ADDS, model_plan, list_plan, summary, hint)
    if events is not None and events.hold_reason:
        problem = Problem(
            f"{events.hold_reason} Nothing was sent.",
            where=f"{model_plan.model.path} (model {name})",
            hint=events.hold_hint,
            models=(name,),
        )
        yield Violation(Guard.LIVE_SINCE, name, list_plan.list_ref.id, problem)


def _check_deletions(
    model_plan: ModelPlan, list_plan: ListPlan, allowances: Allowances
) -> Iterator[Violation]:
    """Yield a violation if more people would be deleted than this run allows: nobody without the flag."""
    default, name = model_plan.model.config.surface.most_deletions, model_plan.model.name
    if default is None or list_plan.upserts <= (most := allowances.most_deletions(name, default)):
        return
    people = format_count(list_plan.upserts, "person", "people")
    limit = f"; {Guard.DELETES.flag} allows {most:,}" if most else ""
    flag = f"{Guard.DELETES.flag} {name}" + (f"={list_plan.upserts}" if list_plan.upserts > default else "")
    problem = Problem(
        f"{people} would be deleted for good{limit}. Nothing was sent.",
        where=f"{model_plan.model.path} (model {name})",
        hint="Check the model's SQL and the tables that it reads: a deletion can't be undone. "
        f"If it is intended, allow it in this run: {flag}",
        models=(name,),
    )
    yield Violation(Guard.DELETES, name, list_plan.list_ref.id, problem)


def _check_new_lists(model_plans: Sequence[ModelPlan], allowances: Allowances) -> Iterator[Violation]:
    """Yield a violation for each new list of a model that has too many, or of models that together have.

    The lists of models that may pass, or that are stopped alone, do not count for the others.
    """
    ids_by_model = {
        model_plan.model.name: tuple(
            list_plan.list_ref.id for list_plan in model_plan.lists if list_plan.list_ref.is_new
        )
        for model_plan in model_plans
        if not allowances.allows(Guard.NEW_LISTS, model_plan.model.name)
    }
    for group, problem in find_new_list_problems(ids_by_model):
        for name in group:
            for list_id in ids_by_model[name]:
                yield Violation(Guard.NEW_LISTS, name, list_id, problem)


def find_new_list_problems(
    ids_by_model: Mapping[str, Collection[str]],
) -> Iterator[tuple[Collection[str], Problem]]:
    """Yield (models, problem) of each model that would create too many lists, and of the others together."""
    large = {name: ids for name, ids in ids_by_model.items() if len(ids) > MAX_NEW_LISTS}
    small = {name: ids for name, ids in ids_by_model.items() if ids and name not in large}
    for name, ids in large.items():
        yield (name,), _new_lists_problem({name: ids})
    if sum(map(len, small.values())) > MAX_NEW_LISTS:
        yield tuple(small), _new_lists_problem(small)


def _new_lists_problem(ids_by_model: Mapping[str, Collection[str]]) -> Problem:
    names, number = sorted(ids_by_model), sum(map(len, ids_by_model.values()))
    flags = " ".join(f"{Guard.NEW_LISTS.flag} {name}" for name in names)
    return Problem(
        f"This run would create {number} lists; the limit is {MAX_NEW_LISTS} in one run. Nothing was sent.",
        where=f"model{'s' if len(names) > 1 else ''} {', '.join(names)}",
        hint="Check the names of the lists, or select fewer models at a time with --select. "
        f"If this is intended, allow it in this run: {flags}",
        models=tuple(names),
    )


def _violation(
    guard: Guard, model_plan: ModelPlan, list_plan: ListPlan, summary: str, advice: str
) -> Violation:
    """Return a violation; its hint ends with the flag that lets this model pass this guard once."""
    name = model_plan.model.name
    list_name = f", list {list_plan.list_ref.name!r}" if list_plan.list_ref.name else ""
    problem = Problem(
        summary,
        where=f"{model_plan.model.path} (model {name}){list_name}",
        hint=f"{advice} If this is intended, allow it in this run: {guard.flag} {name}",
        models=(name,),
    )
    return Violation(guard, name, None if list_plan.has_no_list else list_plan.list_ref.id, problem)


def _limit_text(limit: GuardLimit, name: str, rows_before: int) -> str:
    """Return the limit as a number of rows, with the share that it comes from."""
    return f"the limit is {limit.allowed_rows(rows_before):,} ({name} is {format_percent(limit.share)})"
