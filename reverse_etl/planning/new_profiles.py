"""Forecasts how many profiles a plan would create, by asking Klaviyo which of its people exist."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import UnusableReply
from reverse_etl.klaviyo.errors import is_content_refusal
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.planning import profile_forecast
from reverse_etl.planning.profile_forecast import NewProfiles
from reverse_etl.planning.sql import planned_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.planning.plan import ModelPlan, PlanOptions
    from reverse_etl.warehouse.interface import Warehouse


@dataclass(frozen=True)
class _Person:
    """The identifiers of a row to add, in the order of the model's types."""

    list_id: str
    identifiers: Mapping[IdentifierType, str]


def forecast_new_profiles(
    warehouse: Warehouse, klaviyo: Klaviyo | None, model_plans: Sequence[ModelPlan], options: PlanOptions
) -> tuple[ModelPlan, ...]:
    """Return the plans, with the forecast of each list whose surface creates profiles, if one is asked for.

    Sends only GETs.
    """
    if not options.forecast or klaviyo is None:
        return (*model_plans,)
    budget, forecast = profile_forecast.MAX_PEOPLE, []
    for model_plan in model_plans:
        if model_plan.model.config.surface.upsert.creates_people and any(
            list_plan.adds for list_plan in model_plan.lists
        ):
            people = [*_read_people(warehouse, model_plan, budget)]
            budget -= len(people)
            forecast.append(_add_forecast(klaviyo, model_plan, people))
        else:
            forecast.append(model_plan)
    return tuple(forecast)


def _read_people(warehouse: Warehouse, model_plan: ModelPlan, limit: int) -> Iterator[_Person]:
    if not limit:
        return
    for list_id, *values in warehouse.fetch(planned_rows.select_adds(model_plan.tables, limit)):
        by_kind = dict(zip(IdentifierType, values, strict=True))
        identifiers = {
            kind: by_kind[kind] for kind in model_plan.tables.identifiers if by_kind[kind] is not None
        }
        yield _Person(list_id, identifiers)


def _add_forecast(klaviyo: Klaviyo, model_plan: ModelPlan, people: Sequence[_Person]) -> ModelPlan:
    known, new = Counter[str](), Counter[str]()
    for group in batched(people, MAX_VALUES):
        found, undecided = _look_up(klaviyo, model_plan.tables.identifiers, group)
        for number, person in enumerate(group):
            if number in found:
                known[person.list_id] += 1
            elif number not in undecided:
                new[person.list_id] += 1
    return replace(
        model_plan,
        lists=tuple(
            replace(
                list_plan,
                new_profiles=NewProfiles(
                    new[list_plan.list_ref.id], list_plan.adds - known[list_plan.list_ref.id]
                ),
            )
            if list_plan.adds
            else list_plan
            for list_plan in model_plan.lists
        ),
    )


def _look_up(
    klaviyo: Klaviyo, kinds: Sequence[IdentifierType], group: Sequence[_Person]
) -> tuple[set[int], set[int]]:
    """Return which people have a profile, and which could not be looked up, by their place in the group."""
    found: set[int] = set()
    undecided: set[int] = set()
    for kind in kinds:
        wanted = {
            number: person.identifiers[kind]
            for number, person in enumerate(group)
            if number not in found and kind in person.identifiers
        }
        if not wanted:
            continue
        try:
            profiles = klaviyo.find_profiles(kind, [*dict.fromkeys(wanted.values())])
        except UnusableReply as error:
            if not is_content_refusal(error):
                raise
            undecided |= wanted.keys()
            continue
        values = {value for profile in profiles for value in profile.identifiers(kind)}
        found |= {number for number, value in wanted.items() if value in values}
    return found, undecided
