"""The guards: limits on a plan, checked before the first write of any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import Problem
from reverse_etl.formatting import format_count, format_percent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reverse_etl.planning.plan import ListPlan, ModelPlan


REMOVES_FLOOR = 10  # the guard never trips on fewer removes, whatever share of the list they are


def check_guards(model_plans: Sequence[ModelPlan], allowed_models: Collection[str]) -> tuple[Problem, ...]:
    """Return the guards that trip; empty if the plan may run. Models in `allowed_models` are not checked.

    There are two guards per list: fewer than `min_rows` valid rows, and removes of more than `max_removes` of
    the snapshot and more than 10 rows.
    """
    problems: list[Problem] = []
    for model_plan in model_plans:
        if model_plan.model.name not in allowed_models:
            problems += [
                problem
                for list_plan in model_plan.lists
                for problem in _find_violations(model_plan, list_plan)
            ]
    return tuple(problems)


def _find_violations(model_plan: ModelPlan, list_plan: ListPlan) -> Iterator[Problem]:
    config, name = model_plan.model.config, model_plan.model.name
    where = f"{model_plan.model.path} (model {name})" + (
        f", list {list_plan.list_ref.name!r}" if list_plan.list_ref.name else ""
    )
    if list_plan.has_no_list:
        return
    if list_plan.rows < config.min_rows:
        yield Problem(
            _too_few_rows_text(model_plan, list_plan),
            where=where,
            hint=_too_few_rows_hint(name, list_plan),
            models=(name,),
        )
    if config.surface.remove is None:
        return
    if list_plan.removes > REMOVES_FLOOR and list_plan.removes > config.max_removes * list_plan.snapshot_rows:
        share = list_plan.removes / list_plan.snapshot_rows if list_plan.snapshot_rows else 1.0
        yield Problem(
            f"{list_plan.removes:,} of {format_count(list_plan.snapshot_rows, 'row')} would be removed "
            f"({format_percent(share)}); max_removes is {format_percent(config.max_removes)}. "
            "Nothing was sent.",
            where=where,
            hint=f"Check the tables that the model reads. {_allow_hint(name)}",
            models=(name,),
        )


def _too_few_rows_text(model_plan: ModelPlan, list_plan: ListPlan) -> str:
    for_this_list = " for this list" if model_plan.tables.many_lists else ""
    returned = list_plan.rows + list_plan.rejected_by_check
    rejected = ", ".join(
        f"{rejection.reason.describe()}: {rejection.rows:,}" for rejection in list_plan.check_rejections
    )
    if rejected and not list_plan.rows:
        subject, verb = ("The only row", "was") if returned == 1 else (f"All {returned:,} rows", "were")
        return f"{subject}{for_this_list} {verb} rejected ({rejected}). Nothing was sent."
    rows = (
        f"Only {list_plan.rows:,} of {format_count(returned, 'row')}{for_this_list} can be sent "
        f"(rejected: {rejected})"
        if rejected
        else f"The model returned {format_count(returned, 'row')}{for_this_list}"
    )
    sent_before = format_count(list_plan.snapshot_rows, "row was", "rows were")
    min_rows = model_plan.model.config.min_rows
    return f"{rows}; min_rows is {min_rows:,}. {sent_before} sent before. Nothing was sent."


def _too_few_rows_hint(name: str, list_plan: ListPlan) -> str:
    if list_plan.check_rejections:
        return f"Fix the columns that were rejected. {_allow_hint(name)}"
    return f"Check the tables that the model reads. {_allow_hint(name)}"


def _allow_hint(name: str) -> str:
    return f"If this is intended, allow it in this run: --allow-removes {name}"
