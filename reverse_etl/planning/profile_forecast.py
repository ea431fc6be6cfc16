"""The forecast of the profiles that a list's adds would create: a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOOKED_UP_PEOPLE: Final = 500  # of one plan, unless its user says otherwise: 5 requests an identifier


@dataclass(frozen=True)
class NewProfiles:
    """The least and the most profiles that a list's adds would create; equal if Klaviyo was asked about all.

    `looked_up` people of the adds were looked up in Klaviyo. `sent_before` others have a profile, since a
    model of the project has a proved row of them.
    """

    least: int
    most: int
    looked_up: int = 0
    sent_before: int = 0

    def describe(self, adds: int) -> str:
        """Return a sentence for people; `adds` are the rows to add."""
        sources = [
            *([f"{self.looked_up:,} people were looked up"] if self.looked_up else ["Klaviyo was not asked"]),
            *([f"{self.sent_before:,} were sent before"] if self.sent_before else []),
        ]
        if adds == 1 and self.least == self.most:
            return f"the one add would {'' if self.most else 'not '}be a new profile"
        if self.least == self.most:
            return f"{self.least:,} of the {adds:,} adds would be new profiles"
        least = f"between {self.least:,} and" if self.least else "at most"
        return f"{least} {self.most:,} of the {adds:,} adds would be new profiles ({', '.join(sources)})"
