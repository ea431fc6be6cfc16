"""The registry of lists: which models drive which lists, and which lists were about to be created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.state.tables import StateTables


@dataclass(frozen=True)
class RegisteredList:
    """A list in the registry.

    `id` is empty while the list is only intended: its creation was begun, at Klaviyo's time `recorded_at`,
    and never confirmed.
    """

    id: str
    name: str
    model: str
    recorded_at: str


@dataclass(frozen=True)
class ListRegistry:
    """The registry of lists of one owner."""

    state_tables: StateTables

    def registered(self) -> tuple[RegisteredList, ...]:
        """Return the lists that are driven or intended, by name."""
        rows = self.state_tables.fetch(
            ledger.select_lists(self.state_tables.dialect, *self.state_tables.scope.key)
        )
        return tuple(
            RegisteredList(list_id or "", name, model, recorded_at)
            for list_id, name, model, _, recorded_at in rows
        )

    def record_intent(self, name: str, model: str, klaviyo_time: datetime) -> None:
        """Commit that a list of this name is about to be created, so that a lost reply can't lead to two."""
        self._save_rows([(None, name, model, "intended", format_timestamp(klaviyo_time))])

    def claim(self, managed_lists: Sequence[tuple[str, str, str]]) -> None:
        """Note which lists are driven: (list id, name, model). May be repeated.

        A creation that was intended by one of these names is over.
        """
        registered = {(entry.id, entry.name, entry.model) for entry in self.registered()}
        self._save_rows(
            [
                (*managed_list, "owned", self.state_tables.now())
                for managed_list in managed_lists
                if managed_list not in registered
            ]
        )

    def _save_rows(self, rows: Sequence[tuple[str | None, str, str, str, str]]) -> None:
        replace_list, scope_key = ledger.replace_list, self.state_tables.scope.key
        if rows:
            self.state_tables.commit(
                [
                    statement
                    for row in rows
                    for statement in replace_list(self.state_tables.dialect, *scope_key, row)
                ]
            )
