"""Deltas: one model's rows of a run, read in the order of their numbers and in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import SessionLost
from reverse_etl.state.sql import pending as sql

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from reverse_etl.domain.receipts import Receipt
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.model_tables import Shape
    from reverse_etl.warehouse.statement import Statement


@dataclass(frozen=True)
class Deltas:
    """The deltas that the state keeps of one model and run."""

    warehouse: Warehouse
    shape: Shape
    run_id: str

    def upserts(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield a list's upserts as `sql.deltas.upserts` has them, at most `size` at a time."""
        return self._read(sql.upserts, list_id, size, removes=False)

    def removes(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield a list's removes as `sql.deltas.removes` has them, at most `size` at a time."""
        return self._read(sql.removes, list_id, size, removes=True)

    def sent_rows(self, receipt: Receipt) -> list[SentRow]:
        """Return the rows of a receipt's range."""
        statement = sql.delta_rows(
            self.warehouse.dialect, self.shape, self.run_id, receipt.first_seq, receipt.last_seq
        )
        return [
            SentRow(seq, dict(zip(IdentifierType, values, strict=True)))
            for seq, *values in self.warehouse.fetch(statement)
        ]

    def _read(
        self, select: Callable[..., Statement], list_id: str, size: int, *, removes: bool
    ) -> Iterator[list[Row]]:
        span = self._spans.get((list_id, removes), range(0))
        step = self.warehouse.widest_sort or max(len(span), 1)
        for first in span[::step]:
            seqs = range(first, min(first + step, span.stop))
            while seqs:
                seqs = yield from self._rest(partial(select, self.warehouse.dialect), list_id, seqs, size)

    def _rest(
        self, select: Callable[..., Statement], list_id: str, seqs: range, size: int
    ) -> Generator[list[Row], None, range]:
        """Yield the rows of a span. Return what is left of it where the session ended that had the result.

        Raises SessionLost where that brought no row: another try would bring none either.
        """
        after = seqs.start
        try:
            for rows in self.warehouse.batches(select(self.shape, self.run_id, list_id, seqs), size):
                yield rows
                after = rows[-1][0] + 1
        except SessionLost:
            if after == seqs.start:
                raise
            return range(after, seqs.stop)
        return range(0)

    @cached_property
    def _spans(self) -> Mapping[tuple[str, bool], range]:
        found = self.warehouse.fetch(sql.spans(self.warehouse.dialect, self.shape, self.run_id))
        return {(list_id, bool(removes)): range(first, last + 1) for list_id, removes, first, last in found}


@dataclass(frozen=True)
class SentRow:
    """A delta of a settled job: its number and its canonical identifiers, by which an error names it."""

    seq: int
    identifiers: Mapping[IdentifierType, str | None]
