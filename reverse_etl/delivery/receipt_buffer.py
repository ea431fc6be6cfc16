"""Write receipts in groups, so that many requests take few statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Self

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.state.people import mark_off_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.domain.receipts import Receipt, RowException
    from reverse_etl.state.consents import SentConsent

FLUSH_SECONDS = 2.0
FLUSH_RECEIPTS = 50
RARE_FLUSH_RECEIPTS = 1_000  # if each write wakes a warehouse


@dataclass(frozen=True)
class EndedConsents:
    """The rows of a list whose consents are forgotten, and people that a request may have removed from it."""

    list_id: str
    identities: Sequence[str]
    off_list: Collection[tuple[IdentifierType, str]]


@dataclass
class ReceiptBuffer:
    """Collects the receipts and row exceptions of one model and writes them in groups.

    A killed run loses at most the last group.
    """

    context: DeliveryContext
    model: str
    _receipts: list[Receipt] = field(default_factory=list)
    _row_exceptions: list[RowException] = field(default_factory=list)
    _unmatched_removals: list[tuple[str, str]] = field(default_factory=list)
    _outcomes: dict[int, Outcome] = field(default_factory=dict)
    _sent_consents: list[SentConsent] = field(default_factory=list)
    _ended_consents: list[EndedConsents] = field(default_factory=list)
    _flushed_at: float = float("-inf")

    def add(
        self,
        receipts: Sequence[Receipt],
        row_exceptions: Sequence[RowException] = (),
        unmatched_removals: Sequence[tuple[str, str]] = (),
        *,
        sent_consents: Sequence[SentConsent] = (),
        ended_consents: Sequence[EndedConsents] = (),
    ) -> None:
        """Add receipts, and write the group if it is large or old enough.

        `unmatched_removals` are the (list id, identity) of leaving rows without a profile in Klaviyo.
        `sent_consents` are the rows that Klaviyo accepted, and that a later read is to confirm.
        `ended_consents` are forgotten once the receipts of their rows are stored.
        """
        self._sent_consents += sent_consents
        self._ended_consents += ended_consents
        self._receipts += receipts
        self._row_exceptions += row_exceptions
        self._unmatched_removals += unmatched_removals
        min_interval = self.context.warehouse.min_write_interval
        is_old = self.context.clock.monotonic() - self._flushed_at > max(FLUSH_SECONDS, min_interval)
        if is_old or len(self._receipts) >= (RARE_FLUSH_RECEIPTS if min_interval else FLUSH_RECEIPTS):
            self.flush()

    def add_outcomes(self, outcomes: Mapping[int, Outcome]) -> None:
        """Add outcomes that say more than the receipts of their rows, by the row's number: for the journal.

        Call it before `add`: whatever is known of a row is stored before its receipt.
        """
        self._outcomes |= outcomes

    def __enter__(self) -> Self:
        """Write the last group on exit."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Write the last group."""
        self.flush()

    def flush(self) -> None:
        """Write the group, once: after an interruption here it is unknown whether it was committed."""
        receipts, row_exceptions, unmatched_removals = (
            self._receipts,
            self._row_exceptions,
            self._unmatched_removals,
        )
        sent_consents, ended_consents = self._sent_consents, _merge_by_list(self._ended_consents)
        outcomes = [*_split_into_ranges(self._outcomes), *_find_unverified(receipts)]
        self._receipts, self._row_exceptions, self._unmatched_removals, self._outcomes = [], [], [], {}
        self._sent_consents, self._ended_consents = [], []
        for ended in ended_consents:  # before the receipts: once they are stored, nobody looks again
            mark_off_list(self.context.state, ended.list_id, ended.off_list, except_model=self.model)
        self.context.state.consents.record(self.context.run_id, self.model, sent_consents)
        self.context.state.journal.store_outcomes(self.context.run_id, self.model, outcomes)
        self.context.state.record_receipts(
            self.context.run_id, self.model, receipts, row_exceptions, unmatched_removals
        )
        for ended in ended_consents:
            self.context.state.consents.forget(self.model, ended.list_id, ended.identities)
        self._flushed_at = self.context.clock.monotonic()


def _find_unverified(receipts: Iterable[Receipt]) -> Iterator[tuple[int, int, Outcome]]:
    """Yield the ranges of rows that count as applied, and of which nothing shows what came of them."""
    for receipt in receipts:
        if receipt.state is ReceiptState.APPLIED and not receipt.verified:
            yield receipt.first_seq, receipt.last_seq, Outcome.UNVERIFIED


def _split_into_ranges(outcomes: Mapping[int, Outcome]) -> Iterator[tuple[int, int, Outcome]]:
    """Yield (first number, last number, outcome) of each run of consecutive rows with one outcome."""
    numbered = enumerate(sorted(outcomes.items()))
    for (outcome, _), group in groupby(numbered, key=lambda item: (item[1][1], item[1][0] - item[0])):
        seqs = [seq for _, (seq, _) in group]
        yield seqs[0], seqs[-1], outcome


def _merge_by_list(ended_consents: Iterable[EndedConsents]) -> list[EndedConsents]:
    by_list: dict[str, list[EndedConsents]] = {}
    for ended in ended_consents:
        by_list.setdefault(ended.list_id, []).append(ended)
    return [
        EndedConsents(
            list_id,
            [identity for ended in group for identity in ended.identities],
            {person for ended in group for person in ended.off_list},
        )
        for list_id, group in by_list.items()
    ]
