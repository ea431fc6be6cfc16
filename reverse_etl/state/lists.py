"""The registry of lists: which models drive which lists, and which lists were about to be created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.sql import ledger

if TYPE_CHECKING:
    from reverse_etl.state.tables import Tables


@dataclass(frozen=True)
class KnownList:
    """A list in the registry.

    `id` is empty while the list is only intended: its creation was begun and never confirmed.
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

    def intend(self, name: str, model: str) -> None:
        """Commit that a list of this name is about to be created, so that a lost reply can't lead to two."""
        self._add((None, name, model, "intended", self.tables.now()))

    def own(self, list_id: str, name: str, model: str) -> None:
        """Note that a model drives a list. What is intended by that name is no more."""
        known = {entry.id: entry for entry in self.known()}.get(list_id)
        if known is None or (known.name, known.model) != (name, model):
            self._add((list_id, name, model, "owned", self.tables.now()))

    def _add(self, row: tuple[str | None, str, str, str, str]) -> None:
        self.tables.commit(ledger.add_list(self.tables.dialect, *self.tables.owner.key, row))
