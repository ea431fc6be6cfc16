"""The numbers of a run's deltas, and the parts in which wide rows are moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.state.sql.deltas import RunDeltas, select_last_stored_seq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class SeqRanges:
    """Splits the deltas of runs into ranges. The last numbers of this process's runs are known."""

    state_tables: StateTables
    _last_seqs: dict[tuple[str, str], int] = field(default_factory=dict)  # by run and table of deltas

    def remember(self, run_id: str, tables: ModelTables, last: int) -> None:
        """Remember a number that none of a run's deltas exceeds."""
        self._last_seqs[run_id, tables.deltas] = last

    def find_last(self, run: RunDeltas) -> int:
        """Return such a number; asks only for those of an earlier run."""
        key = (run.run_id, run.tables.deltas)
        if key not in self._last_seqs:
            ((last,),) = self.state_tables.fetch(select_last_stored_seq(run))
            self._last_seqs[key] = int(last)
        return self._last_seqs[key]

    def split(self, last: int) -> Sequence[range | None]:
        """Return the parts of numbers up to the last: as many rows at once as the warehouse sorts well."""
        max_rows = self.state_tables.warehouse.max_sort_rows(last)
        if last <= max_rows:
            return (None,)
        return [range(first, first + max_rows) for first in range(1, last + 1, max_rows)]
