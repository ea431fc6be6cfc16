"""Read one model's deltas of a run, in the order of their numbers and in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import SessionLost
from reverse_etl.state.sql import pending as sql
from reverse_etl.state.sql.deltas import RunDeltas

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from reverse_etl.domain.receipts import Receipt
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Statement


@dataclass(frozen=True)
class PendingRows:
    """The stored deltas of one model and run."""

    warehouse: Warehouse
    tables: ModelTables
    run_id: str
    model: str

    def read_upserts(self, list_id: str, size: int, seqs: range | None = None) -> Iterator[list[Row]]:
        """Yield a list's upserts as `select_upserts` returns them, at most `size` at a time.

        With `seqs` only those of a range, which is small.
        """
        if seqs is not None:
            return self._read_range(sql.select_upserts, list_id, seqs, size)
        return self._read_batches(sql.select_upserts, list_id, size, removes=False)

    def read_upserts_with_op(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield a list's upserts as `select_upserts_with_op` returns them, at most `size` at a time."""
        return self._read_batches(sql.select_upserts_with_op, list_id, size, removes=False)

    def read_upserts_with_uncertainty(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield a list's upserts as `select_upserts_with_uncertainty` returns them, `size` at a time."""
        return self._read_batches(sql.select_upserts_with_uncertainty, list_id, size, removes=False)

    def read_removes(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield a list's removes as `select_removes` returns them, at most `size` at a time."""
        return self._read_batches(sql.select_removes, list_id, size, removes=True)

    def read_clears(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a list as `select_clears` returns them, at most `size` at a time."""
        return self._read_batches(
            lambda tables, run_id, list_id, seqs: sql.select_clears(
                RunDeltas(tables, run_id, self.model), list_id, seqs
            ),
            list_id,
            size,
            removes=False,
        )

    def read_changed_contacts(self, list_id: str, size: int) -> Iterator[list[Row]]:
        """Yield the rows of a list as `select_changed_contacts` returns them, at most `size` at a time."""
        return self._read_batches(sql.select_changed_contacts, list_id, size, removes=False)

    def read_possible_renames(self, list_id: str, size: int) -> Iterator[list[SentRow]]:
        """Yield the rows of a list that may change an e-mail or phone of a profile, `size` at a time."""
        for rows in self._read_batches(sql.select_possible_renames, list_id, size, removes=False):
            yield [SentRow(seq, dict(zip(IdentifierType, values, strict=True))) for seq, *values in rows]

    def count_clears(self, list_id: str) -> int:
        """Return the number of the rows that `read_clears` yields."""
        run = RunDeltas(self.tables, self.run_id, self.model)
        ((rows,),) = self.warehouse.fetch(sql.count_clears(run, list_id))
        return int(rows)

    def read_sent_rows(self, receipt: Receipt) -> list[SentRow]:
        """Return the rows of a receipt's range."""
        return self.read_identifiers(receipt.first_seq, receipt.last_seq)

    def read_identifiers(self, first_seq: int, last_seq: int) -> list[SentRow]:
        """Return the rows of a range."""
        statement = sql.select_delta_identifiers(self.tables, self.run_id, first_seq, last_seq)
        return [
            SentRow(seq, dict(zip(IdentifierType, values, strict=True)))
            for seq, *values in self.warehouse.fetch(statement)
        ]

    def _read_batches(
        self, select: Callable[..., Statement], list_id: str, size: int, *, removes: bool
    ) -> Iterator[list[Row]]:
        seq_range = self._seq_ranges.get((list_id, removes), range(0))
        step = self.warehouse.max_sort_rows(len(seq_range)) or 1
        for first in seq_range[::step]:
            seqs = range(first, min(first + step, seq_range.stop))
            while seqs:
                seqs = yield from self._read_range(select, list_id, seqs, size)

    def _read_range(
        self, select: Callable[..., Statement], list_id: str, seqs: range, size: int
    ) -> Generator[list[Row], None, range]:
        """Yield the rows of a range, and return the rest of the range if the session is lost while reading.

        Raises SessionLost if it read no row, because another attempt would not help.
        """
        after = seqs.start
        try:
            for rows in self.warehouse.stream(select(self.tables, self.run_id, list_id, seqs), size):
                yield rows
                after = rows[-1][0] + 1
        except SessionLost:
            if after == seqs.start:
                raise
            return range(after, seqs.stop)
        return range(0)

    @cached_property
    def _seq_ranges(self) -> Mapping[tuple[str, bool], range]:
        rows = self.warehouse.fetch(sql.select_seq_ranges(self.tables, self.run_id))
        return {(list_id, bool(removes)): range(first, last + 1) for list_id, removes, first, last in rows}


@dataclass(frozen=True)
class SentRow:
    """A delta that was sent: its number, and its canonical identifiers, to which errors refer."""

    seq: int
    identifiers: Mapping[IdentifierType, str | None]
