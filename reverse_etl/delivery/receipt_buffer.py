"""The recorder: receipts are kept in groups, so that many requests take few statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.domain.receipts import Receipt, RowException

FLUSH_SECONDS = 2.0
FLUSH_RECEIPTS = 50


@dataclass
class ReceiptBuffer:
    """Gathers receipts and refusals of one model, and keeps them in groups.

    A dead run loses at most the last group.
    """

    context: DeliveryContext
    model: str
    _receipts: list[Receipt] = field(default_factory=list)
    _row_exceptions: list[RowException] = field(default_factory=list)
    _unmatched_removals: list[tuple[str, str]] = field(default_factory=list)
    _flushed_at: float = float("-inf")

    def add(
        self,
        receipts: Sequence[Receipt],
        row_exceptions: Sequence[RowException] = (),
        unmatched_removals: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Take receipts, and keep the group when it is large or old enough.

        `unmatched_removals` are the (list id, identity) of leaving rows for whom nobody was found.
        """
        self._receipts += receipts
        self._row_exceptions += row_exceptions
        self._unmatched_removals += unmatched_removals
        old = self.context.clock.monotonic() - self._flushed_at > FLUSH_SECONDS
        if old or len(self._receipts) >= FLUSH_RECEIPTS:
            self.flush()

    def flush(self) -> None:
        """Keep what was gathered, once: who is interrupted in here does not know whether it was committed."""
        receipts, row_exceptions, unmatched_removals = (
            self._receipts,
            self._row_exceptions,
            self._unmatched_removals,
        )
        self._receipts, self._row_exceptions, self._unmatched_removals = [], [], []
        self.context.state.record_receipts(
            self.context.run_id, self.model, receipts, row_exceptions, unmatched_removals
        )
        self._flushed_at = self.context.clock.monotonic()
