"""The registry of lists: which models drive which lists, and which lists were about to be created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import written
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.state.tables import Tables


@dataclass(frozen=True)
class KnownList:
    """A list in the registry.

    `id` is empty while the list is only intended: its creation was begun, at Klaviyo's time `at`, and never
    confirmed.
    """

    id: str
    name: str
    model: str
    at: str


@dataclass(frozen=True)
class Lists:
    """The registry of lists of one owner."""

    tables: Tables

    def known(self) -> tuple[KnownList, ...]:
        """Return the lists that are driven or intended, by name."""
        rows = self.tables.fetch(ledger.lists(self.tables.dialect, *self.tables.owner.key))
        return tuple(KnownList(list_id or "", name, model, at) for list_id, name, model, _, at in rows)

    def intend(self, name: str, model: str, klaviyo_time: datetime) -> None:
        """Commit that a list of this name is about to be created, so that a lost reply can't lead to two."""
        self._add([(None, name, model, "intended", written(klaviyo_time))])

    def own(self, driven: Sequence[tuple[str, str, str]]) -> None:
        """Note which lists are driven: (list id, name, model). May be repeated.

        A creation that was intended by one of these names is over.
        """
        known = {(entry.id, entry.name, entry.model) for entry in self.known()}
        self._add([(*one, "owned", self.tables.now()) for one in driven if one not in known])

    def _add(self, rows: Sequence[tuple[str | None, str, str, str, str]]) -> None:
        add, key = ledger.add_list, self.tables.owner.key
        if rows:
            self.tables.commit([each for row in rows for each in add(self.tables.dialect, *key, row)])
