"""The forecast of the profiles that a list's adds would create: a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_PEOPLE: Final = 2_000  # of one plan: 20 requests, if each has one identifier


@dataclass(frozen=True)
class NewProfiles:
    """The least and the most profiles that a list's adds would create; equal if all were looked up."""

    least: int
    most: int

    def describe(self, adds: int) -> str:
        """Return a sentence for people; `adds` are the rows to add."""
        if self.least == self.most:
            return f"{self.least:,} of the {adds:,} adds would be new profiles"
        return (
            f"between {self.least:,} and {self.most:,} of the {adds:,} adds would be new profiles "
            f"({MAX_PEOPLE:,} people of a plan are looked up)"
        )
