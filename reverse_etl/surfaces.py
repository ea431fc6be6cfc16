"""The surfaces of Klaviyo that a model can drive, and the ways in which a model names its lists.

As text, a way reads after the word list: "list VIP", "list id X1", "lists named by club".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Surface(StrEnum):
    """What the rows of a model are."""

    PROFILES = "profiles"
    LIST_MEMBERSHIPS = "list_memberships"
    LIST_MEMBERSHIPS_BY_PROFILE_ID = "list_memberships_by_profile_id"


class OnShared(StrEnum):
    """What is done when rows share a secondary identifier: it is left out of all, or they are rejected."""

    OMIT = "omit"
    REJECT = "reject"


@dataclass(frozen=True)
class NamedList:
    """One list: by a logical name that the profile maps to an id, else by its exact name in Klaviyo."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ListById:
    """One list, by Klaviyo's id."""

    list_id: str

    def __str__(self) -> str:
        return f"id {self.list_id}"


@dataclass(frozen=True)
class ListColumn:
    """Many lists: each row names its own in this column, as `NamedList` does."""

    column: str

    def __str__(self) -> str:
        return f"named by {self.column}"


ListTarget = NamedList | ListById | ListColumn
