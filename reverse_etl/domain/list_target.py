"""How a model names the list, or the lists, of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OnSharedIdentifier(StrEnum):
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
