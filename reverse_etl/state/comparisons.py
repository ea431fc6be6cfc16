"""The last comparisons of each model's rows with its snapshot that settled: nothing of them was left open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.shared_query import SharedQuery
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import Statement

_COLUMNS = "model, checksum, compared_at"


@dataclass(frozen=True)
class SettledComparison:
    """A model's last full comparison, at `compared_at`.

    `checksum` is that of the compiled SQL, the variables, the config and the column types.
    """

    model: str
    checksum: str
    compared_at: str


@dataclass(frozen=True)
class Comparisons:
    """The comparisons of one account and project.

    The row of the table without a model is that of `SnapshotMatches`, which alone has evidence.
    """

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query of the last comparisons."""
        return self.state_tables.in_scope_query("comparisons", _COLUMNS, "model")

    def load(self) -> Mapping[str, SettledComparison]:
        """Return the last comparisons that settled, by model."""
        rows = self.state_tables.fetch_shared(self.shared_query)
        return {row[0]: SettledComparison(*row) for row in rows}

    def delete(self, model: str) -> Statement:
        """Return the statement that forgets what is known of a model: its next comparison is a full one."""
        return self.state_tables.delete("comparisons", **self.state_tables.in_scope, model=model)

    def record(self, comparisons: Sequence[SettledComparison]) -> None:
        """Replace what is known of some models. One transaction; may be repeated."""
        if not comparisons:
            return
        tables = self.state_tables
        rows = [  # `settled_at` is the same time, since only full comparisons are recorded
            (*tables.scope.key, entry.model, entry.checksum, entry.compared_at, entry.compared_at, None)
            for entry in comparisons
        ]
        models = [entry.model for entry in comparisons]
        tables.commit(
            (
                tables.delete("comparisons", **tables.in_scope, model=models),
                *tables.insert("comparisons", rows),
            )
        )
