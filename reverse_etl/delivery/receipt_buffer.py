"""The recorder: receipts are kept in groups, so that many requests take few statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.domain.receipts import Receipt, Refusal

FLUSH_SECONDS = 2.0
FLUSH_RECEIPTS = 50


@dataclass
class Recorder:
    """Gathers receipts and refusals of one model, and keeps them in groups.

    A dead run loses at most the last group.
    """

    at: At
    model: str
    _receipts: list[Receipt] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)
    _gone: list[tuple[str, str]] = field(default_factory=list)
    _flushed: float = float("-inf")

    def add(
        self,
        receipts: Sequence[Receipt],
        refusals: Sequence[Refusal] = (),
        gone: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Take receipts, and keep the group when it is large or old enough.

        `gone` are the (list id, identity) of leaving rows for whom nobody was found.
        """
        self._receipts += receipts
        self._refusals += refusals
        self._gone += gone
        old = self.at.clock.monotonic() - self._flushed > FLUSH_SECONDS
        if old or len(self._receipts) >= FLUSH_RECEIPTS:
            self.flush()

    def flush(self) -> None:
        """Keep what was gathered, once: who is interrupted in here does not know whether it was committed."""
        receipts, refusals, gone = self._receipts, self._refusals, self._gone
        self._receipts, self._refusals, self._gone = [], [], []
        self.at.state.record(self.at.run_id, self.model, receipts, refusals, gone)
        self._flushed = self.at.clock.monotonic()
