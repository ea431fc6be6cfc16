"""The lists whose removals are held, since the state may be older than what was sent.

A hold stays until somebody trusts the state: later runs no longer see what showed that it is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import Statement

EVERY_LIST: Final = ""  # instead of a list id: the hold is on every list and model of the project


class HoldState(StrEnum):
    """The state of an entry."""

    HELD = "held"
    TRUSTED = "trusted"  # a user ran `state trust`; earlier signs no longer count


@dataclass(frozen=True)
class RemovalHold:
    """Why removals are held. A hold that is `lasting` stays until somebody trusts the state."""

    reason: str
    lasting: bool = True


@dataclass(frozen=True)
class StoredHolds:
    """The holds of a project: reasons by list id, and when somebody last trusted the state."""

    reasons: Mapping[str, str]
    trusted_at: datetime | None


@dataclass(frozen=True)
class RemovalHolds:
    """The holds of one account and project."""

    state_tables: StateTables

    def load(self) -> StoredHolds:
        """Return what is held, and since when the state is trusted."""
        rows = self.state_tables.read(
            "removal_holds", "list_id, state, reason, recorded_at", "list_id", **self.state_tables.in_scope
        )
        trusted = [
            parse_timestamp(recorded_at) for _, state, _, recorded_at in rows if state == HoldState.TRUSTED
        ]
        return StoredHolds(
            {list_id: reason for list_id, state, reason, _ in rows if state == HoldState.HELD},
            max(trusted, default=None),
        )

    def insert(self, reasons: Mapping[str, str]) -> tuple[Statement, ...]:
        """Return the statements that hold lists, each for a reason, until the state is trusted."""
        rows = [self._row(list_id, HoldState.HELD, reason) for list_id, reason in sorted(reasons.items())]
        return self.state_tables.insert("removal_holds", rows)

    def trust(self) -> int:
        """End all holds, and record that the state is trusted; return how many holds there were."""
        held = len(self.load().reasons)
        self.state_tables.commit(
            (
                self.state_tables.delete("removal_holds", **self.state_tables.in_scope),
                *self.state_tables.insert("removal_holds", [self._row(EVERY_LIST, HoldState.TRUSTED, "")]),
            )
        )
        return held

    def _row(self, list_id: str, state: HoldState, reason: str) -> tuple[str, ...]:
        return (*self.state_tables.scope.key, list_id, state.value, reason, self.state_tables.now())
