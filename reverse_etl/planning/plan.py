"""The plan: what a run would send, as a value, and what the guards say of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.klaviyo.rate_limit import estimate_duration
from reverse_etl.surfaces.operations import RowCounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.models.model import Model
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.orphans import Orphan
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.model_tables import ModelTables

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
class PlanOptions:
    """What is asked of a plan.

    Every row again, only the first `limit` upserts, or a model keyed by other identifiers. So many changes of
    each list and kind as `sample_size` says are shown. With `with_digest`, each model says by a digest what
    is sent.
    """

    full_refresh: bool = False
    limit: int | None = None
    rekey: frozenset[str] = frozenset()
    sample_size: int = 0
    with_digest: bool = False


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
class CheckRejection:
    """Rows of a list that will not be sent, for one reason; `new_rows` were not rejected in the last run."""

    code: str
    rows: int
    new_rows: int


@dataclass(frozen=True)
class ListPlan:
    """What one list is to become. `rows` rows can be sent; `snapshot_rows` rows are in the snapshot.

    `held_at_plan` removals are not made, since a rejected row may be the same person. `deferred` upserts are
    more than `--limit` lets through. The removes are looked for by what they were sent with: so many of them
    as `rows_by_identifier` says carry an identifier, and the `rows_without_contact` neither e-mail nor phone.
    `has_no_list` says that these are the rows that name no list: all of them are rejected. `sample` has a few
    of its changes, if any were asked for.
    """

    list_ref: ListRef
    rows: int
    snapshot_rows: int
    adds: int = 0
    updates: int = 0
    removes: int = 0
    held_at_plan: int = 0
    deferred: int = 0
    rows_by_identifier: Mapping[IdentifierType, int] = field(default_factory=dict)
    rows_without_contact: int = 0
    check_rejections: tuple[CheckRejection, ...] = ()
    sample: tuple[Change, ...] = ()
    has_no_list: bool = False

    @property
    def upserts(self) -> int:
        """Return how many rows are sent."""
        return self.adds + self.updates

    @property
    def unchanged(self) -> int:
        """Return how many rows Klaviyo already has as they are."""
        return self.rows - self.adds - self.updates - self.deferred

    @property
    def max_list_reads(self) -> int:
        """Return how many requests it takes at most to learn since when the nameless are members.

        Where Klaviyo knows no e-mail or phone of them either, the list is read.
        """
        return math.ceil(self.snapshot_rows / MAX_VALUES) if self.rows_without_contact else 0

    @property
    def rejected_by_check(self) -> int:
        """Return how many rows will not be sent as they are."""
        return sum(rejection.rows for rejection in self.check_rejections)

    def figures(self) -> dict[str, int]:
        """Return the plan's numbers by the names that every report gives them."""
        numbers = (
            self.rows,
            self.snapshot_rows,
            self.adds,
            self.updates,
            self.removes,
            self.unchanged,
            self.deferred,
            self.held_at_plan,
            self.rejected_by_check,
        )
        return dict(zip(FIGURES, numbers, strict=True))


@dataclass(frozen=True)
class ModelPlan:
    """What one model's lists are to become.

    `staged_rows` rows came from the model; `duplicate_rows` of them repeat another in every column.
    `omitted_identifiers` counts the rows that lost a shared identifier. `orphaned_rows` are the (list id,
    rows) that the model drove once and drives no more. `has_deferred_removals`: removals are held, or wait
    behind a limit. `digest` changes with every row to be sent and every value in it; '' where none was asked
    for.
    """

    model: Model
    tables: ModelTables
    lists: tuple[ListPlan, ...]
    staged_rows: int
    duplicate_rows: int
    omitted_identifiers: Mapping[IdentifierType, int]
    orphaned_rows: tuple[tuple[str, int], ...] = ()
    rekeyed: bool = False
    has_deferred_removals: bool = False
    digest: str = ""

    @property
    def is_empty(self) -> bool:
        """Return whether a run has nothing to do for the model, nor to leave behind a limit."""
        return not any(
            list_plan.upserts or list_plan.removes or list_plan.deferred for list_plan in self.lists
        )

    def estimate_requests(self) -> dict[Endpoint, int]:
        """Return about how many requests the plan takes.

        Rows small enough to fill requests by number, not by bytes. What it may take to read lists comes on
        top: `ListPlan.max_list_reads`.
        """
        counts: dict[Endpoint, int] = {}
        for list_plan in self.lists:
            for endpoint, number in _estimate_requests(self.model.config.surface, list_plan).items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    `lists_looked_up` says whether Klaviyo was asked which lists there are; `unsettled_runs` is how many
    earlier runs left something open. `notes` are for people; `new_notes` are those of them that no earlier
    run could tell; `orphans` are the lists that models drove before. `account` is Klaviyo's id of the account
    that is meant, '' for one that does not exist yet.
    """

    models: tuple[ModelPlan, ...]
    lists_looked_up: bool
    unsettled_runs: int = 0
    notes: tuple[str, ...] = ()
    new_notes: tuple[str, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    account: str = ""

    def lists(self) -> Iterator[tuple[ModelPlan, ListPlan]]:
        """Yield each list with its model, in the order of the run."""
        for model_plan in self.models:
            for list_plan in model_plan.lists:
                yield model_plan, list_plan

    @property
    def has_upserts(self) -> bool:
        """Whether anyone is added or updated."""
        return any(list_plan.upserts for _, list_plan in self.lists())

    def previous_owners(self, model_plan: ModelPlan) -> dict[str, tuple[str, ...]]:
        """Return the other models that sent to lists of this one before, with the ids of those lists."""
        previous_lists = {
            (list_plan.list_ref.previous_model, list_plan.list_ref.id)
            for list_plan in model_plan.lists
            if list_plan.list_ref.previous_model
        }
        previous_lists |= {
            (orphan.model, orphan.list_id) for orphan in self.orphans if orphan.owner == model_plan.model.name
        }
        names = sorted({name for name, _ in previous_lists})
        return {
            name: tuple(sorted(list_id for owner, list_id in previous_lists if owner == name))
            for name in names
        }

    def estimate_requests(self) -> dict[Endpoint, int]:
        """Return about how many requests the plan takes, by endpoint."""
        counts: dict[Endpoint, int] = {}
        for model_plan in self.models:
            for endpoint, number in model_plan.estimate_requests().items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts

    def max_list_reads(self) -> int:
        """Return how many more requests it takes at most to read lists, as `ListPlan.max_list_reads`."""
        return sum(list_plan.max_list_reads for _, list_plan in self.lists())

    def estimate_seconds(self) -> float:
        """Return how long these requests take at Klaviyo's limits."""
        return estimate_duration(self.estimate_requests())


def _estimate_requests(surface: Surface, list_plan: ListPlan) -> dict[Endpoint, int]:
    rows = RowCounts(list_plan.upserts, list_plan.removes, list_plan.rows_by_identifier)
    counts = surface.estimate_requests(rows)
    if list_plan.list_ref.is_new and list_plan.list_ref.id:
        counts[Endpoint.CREATE_LIST] = 1
    return counts
