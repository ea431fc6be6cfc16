"""Look up many lists with few requests: one request finds a hundred names or ids, on pages of ten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from reverse_etl.errors import UnusableReply

if TYPE_CHECKING:
    from collections.abc import Collection

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList

MIN_LOOKUPS: Final = 5  # fewer are looked up one by one


class ListSource(Protocol):
    """Looks up lists at Klaviyo."""

    def find_lists(self, name: str) -> tuple[KlaviyoList, ...]:
        """Return all lists with exactly this name."""
        ...

    def get_list(self, list_id: str) -> KlaviyoList | None:
        """Return a list, or None if Klaviyo has no list with this id."""
        ...

    def get_list_names(self) -> tuple[str, ...]:
        """Return the names of all lists of the account."""
        ...


@dataclass
class ListDirectory:
    """The lists that were looked up together; others are looked up one by one.

    A list that was not found by its id is asked for by itself: only that reply says that it does not exist.
    """

    klaviyo: Klaviyo
    _by_name: dict[str, tuple[KlaviyoList, ...]] = field(default_factory=dict)
    _by_id: dict[str, KlaviyoList] = field(default_factory=dict)

    def prefetch(self, names: Collection[str], ids: Collection[str]) -> None:
        """Look up lists together. If Klaviyo refuses that, they are looked up one by one later."""
        try:
            if len(ids) >= MIN_LOOKUPS:
                self._by_id |= {
                    found_list.id: found_list for found_list in self.klaviyo.find_lists_by_ids(sorted(ids))
                }
            if len(names) >= MIN_LOOKUPS:
                klaviyo_lists = self.klaviyo.find_lists_by_names(sorted(names))
                self._by_name |= {
                    name: tuple(found_list for found_list in klaviyo_lists if found_list.name == name)
                    for name in names
                }
        except UnusableReply:
            return

    def find_lists(self, name: str) -> tuple[KlaviyoList, ...]:
        """Return all lists with exactly this name."""
        klaviyo_lists = self._by_name.get(name)
        return self.klaviyo.find_lists(name) if klaviyo_lists is None else klaviyo_lists

    def get_list(self, list_id: str) -> KlaviyoList | None:
        """Return a list, or None if Klaviyo has no list with this id."""
        return self._by_id.get(list_id) or self.klaviyo.get_list(list_id)

    def get_list_names(self) -> tuple[str, ...]:
        """Return the names of all lists of the account."""
        return self.klaviyo.get_list_names()
