"""The guards: limits on a plan, checked before the first write of any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import Problem
from reverse_etl.formatting import format_count, format_percent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reverse_etl.planning.plan import ListPlan, ModelPlan


REMOVES_FLOOR = 10  # below this, no share of a list counts as many


def check_guards(model_plans: Sequence[ModelPlan], allowed_models: Collection[str]) -> tuple[Problem, ...]:
    """Return why a plan must not be run; nothing for the models in `allowed_models`.

    Two dangers: a list whose model returns fewer than `min_rows` rows, and removes of more than `max_removes`
    of the snapshot and more than 10 rows.
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
    hint = f"Look at the model's source. If this is meant, let it pass once: --allow-removes {name}"
    if list_plan.has_no_list:
        return
    if list_plan.rows < config.min_rows:
        row_count_text = format_count(list_plan.rows, "row") + (
            " for this list" if model_plan.tables.many_lists else ""
        )
        yield Problem(
            f"The model has {row_count_text} to send; min_rows asks for {config.min_rows:,}. "
            f"{format_count(list_plan.snapshot_rows, 'row was', 'rows were')} sent before.",
            where=where,
            hint=f"Look at the model's source. If this is meant, say min_rows={list_plan.rows} in its "
            "config, "
            f"or let it pass once: --allow-removes {name}",
            models=(name,),
        )
    if config.surface.remove is None:
        return
    if list_plan.removes > REMOVES_FLOOR and list_plan.removes > config.max_removes * list_plan.snapshot_rows:
        share = list_plan.removes / list_plan.snapshot_rows if list_plan.snapshot_rows else 1.0
        yield Problem(
            f"{list_plan.removes:,} of {format_count(list_plan.snapshot_rows, 'row')} would be removed: "
            f"{format_percent(share)}. "
            f"max_removes allows {format_percent(config.max_removes)}.",
            where=where,
            hint=hint,
            models=(name,),
        )
