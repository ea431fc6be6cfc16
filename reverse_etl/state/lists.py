"""The registry of lists: which model manages which list, and which lists were about to be created."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.state.tables import IN_SCOPE_SQL, reading
from reverse_etl.surfaces.interface import ListAspect
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.state.shared_query import SharedQuery
    from reverse_etl.state.tables import StateTables


class ListState(StrEnum):
    """The state of a list in the registry."""

    INTENDED = "intended"  # its creation started and was never confirmed
    OWNED = "owned"  # a model sent to it


@dataclass(frozen=True)
class RegisteredList:
    """A list in the registry.

    `id` is empty while the list is only intended: its creation started, at Klaviyo's time `recorded_at`,
    and never confirmed. `aspect` is what the model owns of the list.
    """

    id: str
    name: str
    model: str
    recorded_at: str
    aspect: ListAspect = ListAspect.MEMBERS


@dataclass(frozen=True)
class ListRegistry:
    """The registry of lists of one account and project."""

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query of the registry."""
        return self.state_tables.in_scope_query(
            "lists", "list_id, name, model, recorded_at, aspect", "name, list_id, aspect"
        )

    @reading("lists")
    def registered(self) -> tuple[RegisteredList, ...]:
        """Return the owned and the intended lists, by name."""
        rows = self.state_tables.fetch_shared(self.shared_query)
        return tuple(
            RegisteredList(list_id or "", name, model, recorded_at, ListAspect(aspect))
            for list_id, name, model, recorded_at, aspect in rows
        )

    def record_intent(self, name: str, model: str, klaviyo_time: datetime) -> None:
        """Commit that a list of this name is about to be created, so that a lost reply can't lead to two."""
        self.state_tables.commit(
            self._replace(None, name, model, ListAspect.MEMBERS, format_timestamp(klaviyo_time))
        )

    def claim(self, owned_lists: Sequence[tuple[str, str, str, ListAspect]]) -> None:
        """Record which lists the models own: (list id, name, model, aspect). May be repeated.

        An intended creation of a list of the same name is over.
        """
        registered = {(entry.id, entry.name, entry.model, entry.aspect) for entry in self.registered()}
        now = self.state_tables.now()
        statements = [
            statement
            for owned_list in owned_lists
            if owned_list not in registered
            for list_id, name, model, aspect in [owned_list]
            for statement in self._replace(list_id, name, model, aspect, now)
        ]
        if statements:
            self.state_tables.commit(statements)

    def _replace(
        self, list_id: str | None, name: str, model: str, aspect: ListAspect, recorded_at: str
    ) -> tuple[Statement, ...]:
        """Replace the entry of a list and its aspect by the list's id, or an intended one by its name."""
        table = self.state_tables.dialect.state_table("lists")
        same_list = "((list_id = ? AND aspect = ?) OR (list_id IS NULL AND name = ?))"
        condition = f"{IN_SCOPE_SQL} AND {same_list}"
        scope_key = self.state_tables.scope.key
        state = ListState.OWNED if list_id else ListState.INTENDED
        return (
            Statement.change(
                table, f"DELETE FROM {table} WHERE {condition}", (*scope_key, list_id, aspect.value, name)
            ),
            *self.state_tables.insert(
                "lists", [(*scope_key, list_id, name, model, aspect.value, state.value, recorded_at)]
            ),
        )
