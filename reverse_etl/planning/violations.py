"""The guards by name, the models that may pass them, and what it means that one trips."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reverse_etl.errors import Problem


class Guard(StrEnum):
    """A guard, by the word in the flag that lets it pass once: `--allow-removes MODEL`."""

    REMOVES = "removes"
    ADDS = "adds"
    UPDATES = "updates"
    REJECTED = "rejected"
    NEW_LISTS = "new-lists"
    REQUEST = "request"
    CLEARS = "clears"
    LIVE_SINCE = "live-since"  # passed by the time, and by no model's name
    RESUBSCRIBE = "resubscribe"  # trips in no plan: a run may subscribe some people over an opt-out
    DELETES = "deletes"

    @property
    def flag(self) -> str:
        """Return the flag that lets a model pass this guard in one run."""
        return f"--{self}" if self is Guard.LIVE_SINCE else f"--allow-{self}"


@dataclass(frozen=True)
class Allowances:
    """The models that may pass a guard in this run, by guard.

    `deletes` has the most people that each model may delete, None for the default.
    """

    removes: Collection[str] = ()
    adds: Collection[str] = ()
    updates: Collection[str] = ()
    rejected: Collection[str] = ()
    new_lists: Collection[str] = ()
    request: Collection[str] = ()
    clears: Collection[str] = ()
    resubscribe: Collection[str] = ()
    deletes: Mapping[str, int | None] = field(default_factory=dict)

    def allows(self, guard: Guard, model: str) -> bool:
        """Return whether a model may pass a guard, whatever its count."""
        return guard is not Guard.DELETES and model in self.by_guard()[guard]

    def most_deletions(self, model: str, default: int) -> int:
        """Return how many people a model may delete; `default` if it is allowed without a number."""
        if model not in self.deletes:
            return 0
        number = self.deletes[model]
        return default if number is None else number

    def by_guard(self) -> dict[Guard, Collection[str]]:
        """Return the names of the models by guard."""
        return {
            Guard.REMOVES: self.removes,
            Guard.ADDS: self.adds,
            Guard.UPDATES: self.updates,
            Guard.REJECTED: self.rejected,
            Guard.NEW_LISTS: self.new_lists,
            Guard.REQUEST: self.request,
            Guard.CLEARS: self.clears,
            Guard.LIVE_SINCE: (),
            Guard.RESUBSCRIBE: self.resubscribe,
            Guard.DELETES: self.deletes.keys(),
        }


@dataclass(frozen=True)
class Violation:
    """A guard that trips. It stops the list `list_id` of the model, or all lists if that is None.

    `guard` is None if no flag lets it pass: the state may be too old.
    """

    guard: Guard | None
    model: str
    list_id: str | None
    problem: Problem

    def stops(self, model: str, list_id: str | None) -> bool:
        """Return whether the violation stops a list of a model; None means the rows without a list."""
        return self.model == model and self.list_id in {None, list_id}
