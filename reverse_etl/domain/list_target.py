"""How a model names the list or lists that its rows belong on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OnSharedIdentifier(StrEnum):
    """The treatment of a secondary identifier that rows share: omit it from all rows, or reject them."""

    OMIT = "omit"
    REJECT = "reject"


@dataclass(frozen=True)
class NamedList:
    """One list, by a logical name that the profile maps to an id, or by its exact name in Klaviyo."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ListById:
    """One list, by its Klaviyo id."""

    list_id: str

    def __str__(self) -> str:
        return f"id {self.list_id}"


@dataclass(frozen=True)
class ListColumn:
    """Many lists: this column holds each row's list name, resolved like a `NamedList`."""

    column: str

    def __str__(self) -> str:
        return f"named by {self.column}"


ListTarget = NamedList | ListById | ListColumn
