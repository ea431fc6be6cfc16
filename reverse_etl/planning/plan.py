"""The plan: what a run would send, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.endpoints import AnyEndpoint, Endpoint
from reverse_etl.klaviyo.rate_limit import estimate_duration
from reverse_etl.state.snapshot_matches import LastComparison
from reverse_etl.surfaces.operation_facts import RowCounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.errors import Problem
    from reverse_etl.models.model import Model
    from reverse_etl.planning.event_facts import EventPlan
    from reverse_etl.planning.kept_values import KeptValue
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.orphans import Orphan
    from reverse_etl.planning.row_comparison import RowComparison
    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.planning.violations import Violation
    from reverse_etl.state.removal_holds import RemovalHold
    from reverse_etl.state.snapshot_matches import SnapshotMatch
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class ModelPlan:
    """The plan of one model.

    `staged_rows` counts the rows that the model returned; `duplicate_rows` of them equal another row in every
    column. `omitted_identifiers` counts, by type, the rows sent without an identifier that other rows share,
    or that another row's profile has; `claimed_identifiers` counts the latter alone. `orphaned_rows`
    are (list id, rows) on lists that the model no longer owns. `has_deferred_removals` says that removals are
    held, or wait behind `--limit` or a guard. `digest` changes with every row and value to be sent; '' if not
    asked for. `kept_values` are not cleared, since another row or model has one. `changed_since_sent`: the
    model's SQL or config changed since all of its rows were last sent. `events` is what the plan says of a
    model of events. `may_resubscribe`: this run may subscribe some people again who unsubscribed.
    `has_deltas`: the table of the plan has rows, with numbers up to `last_seq`.
    `rejections_differ`: the stored rejections are not those of the rows that checks reject now.
    `comparison` is how the rows of a model with `updated_at` were compared.
    `snapshot_match` says that all rows equal the snapshot. `is_skipped`: an earlier comparison says so, and
    the model was not read; its tables of staged rows do not exist. `read_reason` is why a model was read
    although models may be skipped.
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
    full_refresh: bool = False
    changed_since_sent: bool = False
    kept_values: tuple[KeptValue, ...] = ()
    events: EventPlan | None = None
    may_resubscribe: bool = False
    has_deltas: bool = True
    last_seq: int = 0
    rejections_differ: bool = True
    comparison: RowComparison | None = None
    snapshot_match: SnapshotMatch | None = None
    is_skipped: bool = False
    read_reason: str = ""
    claimed_identifiers: Mapping[IdentifierType, int] = field(default_factory=dict)

    @property
    def skipped(self) -> LastComparison | None:
        """Return why the model was not read, None if it was."""
        match = self.snapshot_match
        return LastComparison(match.run_id, match.compared_at) if self.is_skipped and match else None

    @property
    def is_empty(self) -> bool:
        """Return whether the lists that no guard stops have nothing to send, to remove or to defer."""
        return not any(
            list_plan.upserts or list_plan.leaving or list_plan.deferred
            for list_plan in self.lists
            if not list_plan.stop_reason
        )

    @property
    def removes_first(self) -> bool:
        """Return whether rows are to be taken back before any model removes people from lists."""
        return self.model.config.surface.removes_first and any(list_plan.removes for list_plan in self.lists)

    @property
    def only_removes(self) -> ModelPlan:
        """Return the part of the plan that takes rows back."""
        return replace(
            self, lists=tuple(replace(list_plan, adds=0, updates=0, deferred=0) for list_plan in self.lists)
        )

    @property
    def without_removes(self) -> ModelPlan:
        """Return the part of the plan that is left after `only_removes`."""
        return replace(self, lists=tuple(replace(list_plan, removes=0) for list_plan in self.lists))

    @property
    def stopped_list_ids(self) -> tuple[str, ...]:
        """Return the ids of the lists that a guard stops."""
        return tuple(list_plan.list_ref.id for list_plan in self.lists if list_plan.stop_reason)

    def estimate_requests(self) -> dict[AnyEndpoint, int]:
        """Return the estimated number of requests of the model, by endpoint.

        Assumes full requests: rows small enough that their number fills a request before their bytes do.
        Excludes reading lists: see `ListPlan.max_list_reads`.
        """
        counts: dict[AnyEndpoint, int] = {}
        for list_plan in self.lists:
            for endpoint, number in _estimate_requests(self.model.config.surface, list_plan).items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts


@dataclass(frozen=True)
class Plan:
    """The changes that a run would make.

    `lists_looked_up` is False if the plan was made without Klaviyo. `unfinished_runs` counts the earlier runs
    that the next run has to recover. `notes` are sentences for the user; `new_notes` are those that no
    earlier run could report. `orphans` are lists that models owned before. `account` is the Klaviyo account
    id, '' for an account that does not exist yet. `violations` are the guards that trip. `removal_holds` are
    why removals are held, by list id; '' means all lists. `unselected_models` suppress or
    unsubscribe people, and are not part of the plan. `snapshot_matches` are, by model, the comparisons that
    hold: all rows of the model are as they were sent.
    """

    models: tuple[ModelPlan, ...]
    lists_looked_up: bool
    unfinished_runs: int = 0
    notes: tuple[str, ...] = ()
    new_notes: tuple[str, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    account: str = ""
    violations: tuple[Violation, ...] = ()
    removal_holds: Mapping[str, RemovalHold] = field(default_factory=dict)
    unselected_models: tuple[StagedModel, ...] = ()
    snapshot_matches: Mapping[str, SnapshotMatch] = field(default_factory=dict, repr=False)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of the guards that trip, each once."""
        return tuple(dict.fromkeys(violation.problem for violation in self.violations))

    def collect_stops(self, gate_problems: Sequence[Problem]) -> tuple[Problem, ...]:
        """Return why a run stops models or lists: the reasons of the dbt gate, then those of guards."""
        return (*gate_problems, *self.problems)

    @property
    def is_stopped(self) -> bool:
        """Return whether guards stop every list."""
        stops = [
            bool(list_plan.stop_reason) for _, list_plan in self.list_plans() if not list_plan.has_no_list
        ]
        return bool(stops) and all(stops)

    def list_plans(self) -> Iterator[tuple[ModelPlan, ListPlan]]:
        """Yield each list plan with its model plan, in the order of the run."""
        for model_plan in self.models:
            for list_plan in model_plan.lists:
                yield model_plan, list_plan

    @property
    def new_list_names(self) -> tuple[str, ...]:
        """Return the names of the lists that are to be created, or that were not looked up."""
        return tuple(
            list_plan.list_ref.name for _, list_plan in self.list_plans() if list_plan.list_ref.is_new
        )

    @property
    def has_upserts(self) -> bool:
        """Return whether any row is added or updated on a list that no guard stops."""
        return any(list_plan.upserts for _, list_plan in self.list_plans() if not list_plan.stop_reason)

    def previous_owners(self, model_plan: ModelPlan) -> dict[str, tuple[str, ...]]:
        """Return the list ids of this model that other models owned before, by the other model's name."""
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

    def estimate_requests(self) -> dict[AnyEndpoint, int]:
        """Return the estimated number of requests of the plan, by endpoint."""
        counts: dict[AnyEndpoint, int] = {}
        for model_plan in self.models:
            for endpoint, number in model_plan.estimate_requests().items():
                counts[endpoint] = counts.get(endpoint, 0) + number
        return counts

    def max_list_reads(self) -> int:
        """Return the maximum number of extra requests to read lists; see `ListPlan.max_list_reads`."""
        return sum(list_plan.max_list_reads for _, list_plan in self.list_plans())

    def estimate_seconds(self) -> float:
        """Return how long the estimated requests take at Klaviyo's rate limits."""
        return estimate_duration(self.estimate_requests())


def _estimate_requests(surface: Surface, list_plan: ListPlan) -> dict[AnyEndpoint, int]:
    rows = RowCounts(
        list_plan.upserts,
        list_plan.removes,
        list_plan.removes_by_identifier,
        list_plan.clears,
        has_list=surface.has_list,
    )
    counts = surface.estimate_requests(rows)
    if list_plan.list_ref.is_new and list_plan.list_ref.id:
        counts[Endpoint.CREATE_LIST] = 1
    return counts
