"""The facts of a report: frozen values of what the state remembers of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.report.counts import sum_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.state import KeptReceipt, PastRun


@dataclass(frozen=True)
class Place:
    """A list of a model; both `list_id` and `name` are '' for profiles, and for rows that name no list."""

    model: str
    list_id: str
    name: str
    profiles: bool = False

    @property
    def label(self) -> str:
        """Return what people call it."""
        return "(profiles)" if self.profiles else self.name or self.list_id or "(no list)"


@dataclass(frozen=True)
class Listed:
    """What a run did to a list: counts as `run.counts` names them, and why it stopped, if it did."""

    place: Place
    counts: Mapping[str, int]
    reason: str

    def sum(self, *names: str) -> int:
        """Return the rows of some counts together."""
        return sum_counts(self.counts, names)


@dataclass(frozen=True)
class Proof:
    """What is known of all requests of one sort (`op`: add, remove) for a list.

    `rows` counts, by state, the rows that the receipts speak of: not those that Klaviyo refused. `shown` are
    the first of the receipts, those that are not applied before the others.
    """

    place: Place
    op: str
    receipts: int
    rows: Mapping[str, int]
    shown: tuple[KeptReceipt, ...]

    @property
    def left_out(self) -> int:
        """Return how many receipts are not among those shown."""
        return self.receipts - len(self.shown)


@dataclass(frozen=True)
class Rejected:
    """Rows of a list that stand rejected now, for one reason; the run saw `new` of them first.

    `example` is the identity of one of them, if any has one.
    """

    place: Place
    source: str
    code: str
    field: str
    detail: str
    rows: int
    new: int
    example: str | None


@dataclass(frozen=True)
class Gone:
    """A removal for whom nobody was found, and when that was noted."""

    place: Place
    identity: str
    at: str


@dataclass(frozen=True)
class Former:
    """A run and what it did to each list. `lists` is empty of one that was cut off, or refused."""

    run: PastRun
    lists: tuple[Listed, ...]

    def sum(self, *names: str) -> int:
        """Return the rows of some counts of all lists together."""
        return sum(one.sum(*names) for one in self.lists)


@dataclass(frozen=True)
class Report:
    """One run, as the state remembers it at the time `made`.

    `later` runs came after it. `refused` says why a guard kept it from writing. `own_rejections` says that
    the rejections, which are kept as they stand now, are those of this run. `gone_rows` are all of which
    `gone` shows the first. Of the `earlier` runs, `before` are the last, newest first. `notes` are today's.
    """

    made: str
    project: str
    target: str
    account: str
    sandbox: bool
    run: PastRun
    later: int
    lists: tuple[Listed, ...]
    refused: tuple[str, ...]
    proofs: tuple[Proof, ...]
    rejections: tuple[Rejected, ...]
    own_rejections: bool
    gone: tuple[Gone, ...]
    gone_rows: int
    before: tuple[Former, ...]
    earlier: int
    notes: tuple[str, ...]

    def sum(self, *names: str) -> int:
        """Return the rows of some counts of all lists together."""
        return sum(one.sum(*names) for one in self.lists)
