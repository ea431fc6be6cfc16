"""The plan: what a run would send, as a value, and what the guards say of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.klaviyo.batching import MOST_ROWS
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import MOST_VALUES, OF_MEMBERS
from reverse_etl.klaviyo.lists import MOST_MEMBERS
from reverse_etl.klaviyo.rate_limit import duration
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.models.model import Model
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.orphans import Orphan
    from reverse_etl.warehouse.model_tables import Shape

FIGURES: Final = (
    "desired",
    "known",
    "adds",
    "updates",
    "removes",
    "unchanged",
    "deferred",
    "held_back",
    "rejected_by_checks",
)


@dataclass(frozen=True)
class Wish:
    """What is asked of a plan.

    Every row again, only the first `limit` upserts, or a model keyed by other identifiers. So many changes of
    each list and kind as `sample` says are shown. With `sealed`, each model says by a digest what is sent.
    """

    full_refresh: bool = False
    limit: int | None = None
    rekey: frozenset[str] = frozenset()
    sample: int = 0
    sealed: bool = False


@dataclass(frozen=True)
class Change:
    """One delta of the sample: what it asks for, and whose row it is.

    For an update also the values that change, before and after.
    """

    op: str
    identity: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Rejected:
    """Rows of a list that will not be sent, for one reason; `new` were not rejected in the last run."""

    problem: str
    rows: int
    new: int


@dataclass(frozen=True)
class ListPlan:
    """What one list is to become. `desired` rows can be sent; `known` rows are in the snapshot.

    `held` removals are not made, since a rejected row may be the same person. `deferred` upserts are more
    than `--limit` lets through. The removes are looked for by what they were sent with: so many of them as
    `carried` says carry an identifier, and the `nameless` neither e-mail nor phone. `nowhere` says that these
    are the rows that name no list: all of them are rejected. `sample` has a few of its changes, if any were
    asked for.
    """

    list: ListRef
    desired: int
    known: int
    adds: int = 0
    updates: int = 0
    removes: int = 0
    held: int = 0
    deferred: int = 0
    carried: Mapping[IdentifierType, int] = field(default_factory=dict)
    nameless: int = 0
    rejected: tuple[Rejected, ...] = ()
    sample: tuple[Change, ...] = ()
    nowhere: bool = False

    @property
    def upserts(self) -> int:
        """Return how many rows are sent."""
        return self.adds + self.updates

    @property
    def unchanged(self) -> int:
        """Return how many rows Klaviyo already has as they are."""
        return self.desired - self.adds - self.updates - self.deferred

    @property
    def pages(self) -> int:
        """Return how many requests it takes at most to learn since when the nameless are members.

        Where Klaviyo knows no e-mail or phone of them either, the list is read.
        """
        return math.ceil(self.known / MOST_VALUES) if self.nameless else 0

    @property
    def rejections(self) -> int:
        """Return how many rows will not be sent as they are."""
        return sum(rejected.rows for rejected in self.rejected)

    def figures(self) -> dict[str, int]:
        """Return the plan's numbers by the names that every report gives them."""
        numbers = (
            self.desired,
            self.known,
            self.adds,
            self.updates,
            self.removes,
            self.unchanged,
            self.deferred,
            self.held,
            self.rejections,
        )
        return dict(zip(FIGURES, numbers, strict=True))


@dataclass(frozen=True)
class ModelPlan:
    """What one model's lists are to become.

    `staged` rows came from the model; `repeated` of them repeat another in every column. `omitted` counts the
    rows that lost a shared identifier. `orphans` are the (list id, rows) that the model drove once and drives
    no more. `waiting`: removals are held, or wait behind a limit. `seal` changes with every row to be sent
    and every value in it; '' where none was asked for.
    """

    model: Model
    shape: Shape
    lists: tuple[ListPlan, ...]
    staged: int
    repeated: int
    omitted: Mapping[IdentifierType, int]
    orphans: tuple[tuple[str, int], ...] = ()
    rekeyed: bool = False
    waiting: bool = False
    seal: str = ""

    @property
    def idle(self) -> bool:
        """Return whether a run has nothing to do for the model, nor to leave behind a limit."""
        return not any(one.upserts or one.removes or one.deferred for one in self.lists)

    def requests(self) -> dict[Endpoint, int]:
        """Return about how many requests the plan takes.

        Rows small enough to fill requests by number, not by bytes. What it may take to read lists comes on
        top: `ListPlan.pages`.
        """
        counts: dict[Endpoint, int] = {}
        for one in self.lists:
            for endpoint, number in _requests(self.model.config.surface, one).items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    `looked_up` says whether Klaviyo was asked which lists there are; `unsettled` is how many earlier runs
    left something open. `notes` are for people; `news` are those of them that no earlier run could tell;
    `orphans` are the lists that models drove before. `account` is Klaviyo's id of the account that is meant,
    '' for one that does not exist yet.
    """

    models: tuple[ModelPlan, ...]
    looked_up: bool
    unsettled: int = 0
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    account: str = ""

    def lists(self) -> Iterator[tuple[ModelPlan, ListPlan]]:
        """Yield each list with its model, in the order of the run."""
        for model in self.models:
            for one in model.lists:
                yield model, one

    @property
    def sends(self) -> bool:
        """Whether anyone is added or updated."""
        return any(one.upserts for _, one in self.lists())

    def former(self, model: ModelPlan) -> dict[str, tuple[str, ...]]:
        """Return the other models that sent to lists of this one before, with the ids of those lists."""
        before = {(one.list.taken_over, one.list.id) for one in model.lists if one.list.taken_over}
        before |= {(each.model, each.list_id) for each in self.orphans if each.owner == model.model.name}
        names = sorted({name for name, _ in before})
        return {name: tuple(sorted(id_ for by, id_ in before if by == name)) for name in names}

    def requests(self) -> dict[Endpoint, int]:
        """Return about how many requests the plan takes, by endpoint."""
        counts: dict[Endpoint, int] = {}
        for model in self.models:
            for endpoint, number in model.requests().items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts

    def pages(self) -> int:
        """Return how many requests it may take beyond these, at most, to read lists: `ListPlan.pages`."""
        return sum(one.pages for _, one in self.lists())

    def seconds(self) -> float:
        """Return how long these requests take at Klaviyo's limits."""
        return duration(self.requests())


def _requests(surface: Surface, one: ListPlan) -> dict[Endpoint, int]:
    counts: dict[Endpoint, int] = {}
    if one.upserts:
        if surface is Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID:
            counts[Endpoint.PROFILES] = math.ceil(one.upserts / MOST_VALUES)
            counts[Endpoint.ADD_TO_LIST] = math.ceil(one.upserts / MOST_MEMBERS)
        else:
            counts[Endpoint.START_IMPORT] = math.ceil(one.upserts / MOST_ROWS)
    if one.removes and surface is not Surface.PROFILES:
        for kind, rows in one.carried.items():
            endpoint = Endpoint.LIST_PROFILES if kind in OF_MEMBERS else Endpoint.PROFILES
            counts[endpoint] = counts.get(endpoint, 0) + math.ceil(rows / MOST_VALUES)
        counts[Endpoint.REMOVE_FROM_LIST] = math.ceil(one.removes / MOST_MEMBERS)
    if one.list.new and one.list.id:
        counts[Endpoint.CREATE_LIST] = 1
    return counts
