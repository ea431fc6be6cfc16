"""The lists whose removals are held, since the state may be older than what was sent.

A hold stays until somebody trusts the state: later runs no longer see what showed that it is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.state.tables import reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverse_etl.state.shared_query import SharedQuery
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import Statement

EVERY_LIST: Final = ""  # instead of a list id: the hold is on every list and model of the project


class HoldState(StrEnum):
    """The state of an entry."""

    HELD = "held"
    TRUSTED = "trusted"  # a user ran `state trust`; earlier signs no longer count


class HoldCause(StrEnum):
    """The sign that the state may be older than what was sent."""

    MISSING_RUN = "missing_run"  # the state does not contain the last run of this machine
    UNREADABLE_RECORD = "unreadable_record"  # the record of the last run cannot be read
    UNRECORDED_IMPORTS = "unrecorded_imports"  # Klaviyo has imports that no recorded run started
    UNREADABLE_IMPORTS = "unreadable_imports"  # Klaviyo's imports cannot be read; the next run looks again


@dataclass(frozen=True)
class RemovalHold:
    """Why removals are held; `reason` is a sentence for people."""

    cause: HoldCause
    reason: str

    @property
    def is_lasting(self) -> bool:
        """Return whether the hold stays until somebody trusts the state."""
        return self.cause is not HoldCause.UNREADABLE_IMPORTS


@dataclass(frozen=True)
class StoredHolds:
    """The holds of a project by list id, and when somebody last trusted the state."""

    holds: Mapping[str, RemovalHold]
    trusted_at: datetime | None


@dataclass(frozen=True)
class RemovalHolds:
    """The holds of one account and project."""

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query of the entries."""
        return self.state_tables.in_scope_query(
            "removal_holds", "list_id, state, cause, reason, recorded_at", "list_id"
        )

    @reading("removal_holds")
    def load(self) -> StoredHolds:
        """Return what is held, and since when the state is trusted."""
        rows = self.state_tables.fetch_shared(self.shared_query)
        trusted = [
            parse_timestamp(recorded_at) for _, state, *_, recorded_at in rows if state == HoldState.TRUSTED
        ]
        holds = {
            list_id: RemovalHold(HoldCause(cause), reason)
            for list_id, state, cause, reason, _ in rows
            if state == HoldState.HELD
        }
        return StoredHolds(holds, max(trusted, default=None))

    def insert(self, holds: Mapping[str, RemovalHold]) -> tuple[Statement, ...]:
        """Return the statements that hold lists until the state is trusted."""
        rows = [
            self._row(list_id, HoldState.HELD, hold.cause, hold.reason)
            for list_id, hold in sorted(holds.items())
        ]
        return self.state_tables.insert("removal_holds", rows)

    def trust(self) -> int:
        """End all holds, and record that the state is trusted; return how many holds there were."""
        held = len(self.load().holds)
        self.state_tables.commit(
            (
                self.state_tables.delete("removal_holds", **self.state_tables.in_scope),
                *self.state_tables.insert("removal_holds", [self._row(EVERY_LIST, HoldState.TRUSTED)]),
            )
        )
        return held

    def _row(
        self, list_id: str, state: HoldState, cause: HoldCause | None = None, reason: str = ""
    ) -> tuple[str | None, ...]:
        return (*self.state_tables.scope.key, list_id, state.value, cause, reason, self.state_tables.now())
