"""The guards: limits on a plan, checked before the first write of any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import Problem
from reverse_etl.formatting import counted, percent
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reverse_etl.planning.plan import ListPlan, ModelPlan


MANY_REMOVES = 10  # below this, no share of a list counts as many


def guard(plans: Sequence[ModelPlan], allowed: Collection[str]) -> tuple[Problem, ...]:
    """Return why a plan must not be run; nothing for the models in `allowed`.

    Two dangers: a list whose model returns fewer than `min_rows` rows, and removes of more than `max_removes`
    of the snapshot and more than 10 rows.
    """
    problems: list[Problem] = []
    for plan in plans:
        if plan.model.name not in allowed:
            problems += [problem for one in plan.lists for problem in _dangers(plan, one)]
    return tuple(problems)


def _dangers(plan: ModelPlan, one: ListPlan) -> Iterator[Problem]:
    config, name = plan.model.config, plan.model.name
    where = f"{plan.model.path} (model {name})" + (f", list {one.list.name!r}" if one.list.name else "")
    advice = f"Look at the model's source. If this is meant, let it pass once: --allow-removes {name}"
    if one.nowhere:
        return
    if one.desired < config.min_rows:
        rows = counted(one.desired, "row") + (" for this list" if plan.shape.many_lists else "")
        yield Problem(
            f"The model has {rows} to send; min_rows asks for {config.min_rows:,}. "
            f"{counted(one.known, 'row was', 'rows were')} sent before.",
            where=where,
            advice=f"Look at the model's source. If this is meant, say min_rows={one.desired} in its config, "
            f"or let it pass once: --allow-removes {name}",
            models=(name,),
        )
    if config.surface is Surface.PROFILES:
        return
    if one.removes > MANY_REMOVES and one.removes > config.max_removes * one.known:
        share = one.removes / one.known if one.known else 1.0
        yield Problem(
            f"{one.removes:,} of {counted(one.known, 'row')} would be removed: {percent(share)}. "
            f"max_removes allows {percent(config.max_removes)}.",
            where=where,
            advice=advice,
            models=(name,),
        )
