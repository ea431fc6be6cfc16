"""Forecasts how many profiles a plan would create.

Klaviyo is asked which of the first people exist. The state knows those of the others that a model has sent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.progress import Warned
from reverse_etl.errors import KlaviyoError, UnusableReply
from reverse_etl.klaviyo.errors import is_content_refusal
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.planning.profile_forecast import NewProfiles
from reverse_etl.planning.sql import planned_rows
from reverse_etl.planning.sql.planned_rows import SentPeople
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.operation_facts import ProofKind
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state import State
    from reverse_etl.warehouse.interface import Warehouse

_NOT_LOOKED_UP: Final = (
    "People could not be looked up, so the number of new profiles is a range. {error} "
    "To plan without it: --new-profiles 0"
)


@dataclass(frozen=True)
class _Person:
    """The number, the list and the identifiers of a row to add, these in the order of the model's types."""

    seq: int
    list_id: str
    identifiers: Mapping[IdentifierType, str]


@dataclass(frozen=True)
class ProfileForecaster:
    """Forecasts the new profiles of plans: asks Klaviyo about some people, and the state about the others.

    Sends only GETs. `klaviyo` is None if there is no key.
    """

    warehouse: Warehouse
    state: State
    klaviyo: Klaviyo | None
    on_progress: ProgressHandler

    def add_forecasts(self, model_plans: Sequence[ModelPlan], people: int | None) -> tuple[ModelPlan, ...]:
        """Return the plans, with the forecast of each list whose surface creates profiles.

        At most `people` of all plans are looked up; None for no forecast at all.
        """
        creating = {
            model_plan.model.name
            for model_plan in model_plans
            if model_plan.model.config.surface.upsert.creates_people
            and any(list_plan.adds for list_plan in model_plan.lists)
        }
        if people is None or not creating:
            return (*model_plans,)
        forecast = []
        for model_plan in model_plans:
            if model_plan.model.name not in creating:
                forecast.append(model_plan)
                continue
            looked_up = [*self._read_people(model_plan, people if self.klaviyo else 0)]
            people -= len(looked_up)
            forecast.append(self._add_forecast(model_plan, looked_up))
        return tuple(forecast)

    @cached_property
    def _sent_people(self) -> tuple[SentPeople, ...]:
        """Return the tables of proved rows whose people have a profile."""
        return tuple(self._find_sent_people())

    def _find_sent_people(self) -> Iterator[SentPeople]:
        for record in self.state.models.records().values():
            surface = find_surface(record.surface)
            if surface is None or surface.deletes_people or surface.upsert.proof is ProofKind.NONE:
                continue
            if (tables := self.state.models.load_tables(record)) is not None and tables.identifiers:
                columns = tuple(IDENTIFIER_COLUMNS[kind] for kind in tables.identifiers)
                yield SentPeople(tables.dialect.state_table(tables.snapshot), columns)

    def _read_people(self, model_plan: ModelPlan, limit: int) -> Iterator[_Person]:
        if not limit:
            return
        for seq, list_id, *values in self.warehouse.fetch(planned_rows.select_adds(model_plan.tables, limit)):
            by_kind = dict(zip(IdentifierType, values, strict=True))
            identifiers = {
                kind: by_kind[kind] for kind in model_plan.tables.identifiers if by_kind[kind] is not None
            }
            yield _Person(seq, list_id, identifiers)

    def _add_forecast(self, model_plan: ModelPlan, people: Sequence[_Person]) -> ModelPlan:
        existing_counts, new_counts, looked_up = Counter[str](), Counter[str](), Counter[str]()
        for person, is_known in zip(people, self._look_up_people(model_plan, people), strict=True):
            looked_up[person.list_id] += is_known is not None
            existing_counts[person.list_id] += is_known is True
            new_counts[person.list_id] += is_known is False
        sent = self._count_sent(model_plan, people)

        def forecast_list(list_plan: ListPlan) -> ListPlan:
            list_id = list_plan.list_ref.id
            most = list_plan.adds - existing_counts[list_id] - sent[list_id]
            existing = NewProfiles(new_counts[list_id], most, looked_up[list_id], sent[list_id])
            return replace(list_plan, new_profiles=existing) if list_plan.adds else list_plan

        return replace(model_plan, lists=tuple(map(forecast_list, model_plan.lists)))

    def _count_sent(self, model_plan: ModelPlan, people: Sequence[_Person]) -> Counter[str]:
        """Count by list those adds, beside the people that were looked up, that a model has sent before."""
        adds = sum(list_plan.adds for list_plan in model_plan.lists)
        if len(people) == adds or not self._sent_people:
            return Counter()
        last = people[-1].seq if people else -1
        statement = planned_rows.count_sent_adds(model_plan.tables, self._sent_people, last)
        return Counter({list_id: int(rows) for list_id, rows in self.warehouse.fetch(statement)})

    def _look_up_people(self, model_plan: ModelPlan, people: Sequence[_Person]) -> Iterator[bool | None]:
        """Yield of each person whether they have a profile, None if they could not be looked up."""
        klaviyo = self.klaviyo
        for group in batched(people, MAX_VALUES):
            existing, undecided = set[int](), {*range(len(group))}
            if klaviyo is not None:
                try:
                    existing, undecided = _look_up(klaviyo, model_plan.tables.identifiers, group)
                except KlaviyoError as error:
                    self.on_progress(Warned(_NOT_LOOKED_UP.format(error=error)))
                    klaviyo = None
            for number in range(len(group)):
                yield True if number in existing else None if number in undecided else False


def _look_up(
    klaviyo: Klaviyo, kinds: Sequence[IdentifierType], group: Sequence[_Person]
) -> tuple[set[int], set[int]]:
    """Return which people have a profile, and which could not be looked up, by their place in the group."""
    existing: set[int] = set()
    undecided: set[int] = set()
    for kind in kinds:
        wanted = {
            number: person.identifiers[kind]
            for number, person in enumerate(group)
            if number not in existing and kind in person.identifiers
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
        existing |= {number for number, value in wanted.items() if value in values}
    return existing, undecided
