"""The plan of one list, as counts of rows and a few sample changes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.klaviyo.filters import MAX_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.profile_forecast import NewProfiles

# The figures of a list's plan, by their names in JSON and in the state.
FIGURES: Final[Mapping[str, Callable[[ListPlan], int]]] = {
    "rows": lambda plan: plan.rows,
    "snapshot_rows": lambda plan: plan.snapshot_rows,
    "adds": lambda plan: plan.adds,
    "updates": lambda plan: plan.updates,
    "removes": lambda plan: plan.removes,
    "left_in_place": lambda plan: plan.left_in_place,
    "unchanged": lambda plan: plan.unchanged,
    "deferred": lambda plan: plan.deferred,
    "held_at_plan": lambda plan: plan.held_at_plan,
    "rejected_by_check": lambda plan: plan.rejected_by_check,
    "clears": lambda plan: plan.clears,
    "without_profile": lambda plan: plan.without_profile,
    "withheld": lambda plan: plan.withheld,
}
LEFT_IN_PLACE: Final = "left_in_place"  # the operation of a row that left, if its surface removes nothing
# Saved plans of earlier versions do not have these.
LATER_FIGURES: Final = frozenset({"left_in_place", "clears", "without_profile", "withheld"})


@dataclass(frozen=True)
class Change:
    """One delta of the sample: its operation, its identity and, for an update, the values that change.

    `identifiers` are those of the row by type, of a remove those that were sent. `replaces` is the identity
    that a person had before: the change is an add and a remove in one, and `before` and `after` are
    identifiers. `on_list_before`: an earlier run removed the person of an add from this list; None if that is
    not known, without a journal.
    """

    op: str
    identity: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    identifiers: Mapping[str, str] = field(default_factory=dict)
    replaces: str = ""
    on_list_before: bool | None = None


@dataclass(frozen=True)
class ListPlan:
    """The plan of one list, as counts of rows.

    `rows` are valid and staged; `snapshot_rows` are in the snapshot, and `uncertain_rows` are those that
    earlier runs may have sent. `held_at_plan` removals are held because a rejected row may be the same
    person; `held_by_stops` of them since a stopped list has the person. `left_in_place` rows left a model
    that sends nothing for them; they are not among `removes`. `deferred` upserts exceed `--limit`. `clears`
    of the upserts have values to clear. `without_profile` rows are not sent: Klaviyo did not know their
    person lately. `withheld` rows are of people whose deletion was asked for. `moved` updates change a time
    that the surface watches. `removes_by_identifier` counts the removes with each identifier type,
    `removes_without_contact` those with neither e-mail nor phone. `has_no_list` marks the rows that name no
    list; all of them are rejected. `sample` has a few changes if `PlanOptions.sample_size` asks for them.

    `new_profiles` is the forecast of the profiles that the adds would create, if one was asked for. With it
    come `added_again`, the adds that earlier runs removed from this list, None without a journal; and without
    one `removed_before`, (run, rows) of the runs that removed more rows than later runs added, newest first.

    For the guards: `first_load` lasts until a settled run has sent all rows of the list. `exempt_adds`,
    `exempt_updates` and `exempt_clears` don't count: somebody asked for them, or an earlier run sent them.
    `stop_reason` is why a guard stops the list, '' if none does.
    """

    list_ref: ListRef
    rows: int
    snapshot_rows: int
    adds: int = 0
    updates: int = 0
    removes: int = 0
    left_in_place: int = 0
    held_at_plan: int = 0
    deferred: int = 0
    moved: int = 0
    removes_by_identifier: Mapping[IdentifierType, int] = field(default_factory=dict)
    removes_without_contact: int = 0
    check_rejections: tuple[RejectedRows, ...] = ()
    withheld: int = 0
    sample: tuple[Change, ...] = ()
    has_no_list: bool = False
    first_load: bool = False
    exempt_adds: int = 0
    exempt_updates: int = 0
    clears: int = 0
    without_profile: int = 0
    new_profiles: NewProfiles | None = None
    added_again: int | None = None
    removed_before: tuple[tuple[str, int], ...] = ()
    exempt_clears: int = 0
    held_by_stops: int = 0
    stop_reason: str = ""
    uncertain_rows: int = 0

    @property
    def checked_adds(self) -> int:
        """Return the adds that count for the guard."""
        return self.adds - self.exempt_adds

    @property
    def checked_updates(self) -> int:
        """Return the updates that count for the guard."""
        return self.updates - self.exempt_updates

    @property
    def upserts(self) -> int:
        """Return the number of rows to add or update."""
        return self.adds + self.updates

    @property
    def leaving(self) -> int:
        """Return the number of rows that left the model and are not held."""
        return self.removes + self.left_in_place

    def count_leaving(self, rows: int, *, sends_removes: bool) -> ListPlan:
        """Return the plan with this number of rows that left, which are removed or left in place."""
        removes = rows if sends_removes else 0
        return replace(self, removes=removes, left_in_place=rows - removes)

    @property
    def unchanged(self) -> int:
        """Return the number of rows that equal the snapshot: nothing is sent for them."""
        return self.rows - self.adds - self.updates - self.deferred - self.without_profile

    @property
    def max_list_reads(self) -> int:
        """Return the maximum number of extra requests to read the list.

        The list is read if rows to remove have neither e-mail nor phone, and Klaviyo knows none either: then
        there is no other way to learn when they joined.
        """
        return math.ceil(self.snapshot_rows / MAX_VALUES) if self.removes_without_contact else 0

    @property
    def rejected_by_check(self) -> int:
        """Return the number of rows that the warehouse's checks reject."""
        return sum(rejection.rows for rejection in self.check_rejections)

    @property
    def opted_out_before(self) -> int:
        """Return how many of these rows an earlier run did not subscribe: the people opted out."""
        return sum(rejection.rows for rejection in self.check_rejections if rejection.reason.is_opt_out)

    def figures(self) -> dict[str, int]:
        """Return the figures of the plan by their names in JSON and in the state."""
        return {name: read(self) for name, read in FIGURES.items()}
