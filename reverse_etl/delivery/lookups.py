"""Look up profiles and members by their identifiers, with GETs only."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.halving import send_in_halves
from reverse_etl.domain.batched import batched
from reverse_etl.klaviyo.filters import MAX_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.errors import UnusableReply
    from reverse_etl.klaviyo.profiles import Member, Profile

Item = TypeVar("Item")


@dataclass(frozen=True)
class Lookups:
    """The means to look up identifiers for one list.

    `refused_values` collects the values that Klaviyo refuses to look up.
    """

    context: DeliveryContext
    list_id: str
    refusals: ListRefusals
    refused_values: dict[tuple[IdentifierType, str], UnusableReply] = field(default_factory=dict)

    def find_members(self, kind: IdentifierType, values: Sequence[str]) -> list[Member]:
        """Return the list's members with one of these identifiers, in the order of the values."""
        return self._fetch(partial(self.context.klaviyo.find_members, self.list_id, kind), kind, values)

    def find_profiles(self, kind: IdentifierType, values: Sequence[str]) -> list[Profile]:
        """Return the account's profiles with one of these identifiers, in the order of the values."""
        return self._fetch(partial(self.context.klaviyo.find_profiles, kind), kind, values)

    def _fetch(
        self,
        fetch: Callable[[Sequence[str]], Sequence[Item]],
        kind: IdentifierType,
        values: Sequence[str],
    ) -> list[Item]:
        parts = [*batched(values, MAX_VALUES)]
        replies = dict(
            map_concurrently(
                self.context,
                lambda number: (number, send_in_halves(parts[number], fetch, self.refusals)),
                range(len(parts)),
            )
        )
        items: list[Item] = []
        for number in range(len(parts)):
            halved = replies[number]
            if halved.error is not None:
                raise halved.error
            self.refused_values.update({(kind, value): error for value, error in halved.refused.items()})
            items += [item for result in halved.results for item in result]
        return items
