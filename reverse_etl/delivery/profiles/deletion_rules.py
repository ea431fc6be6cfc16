"""Decide whether the person of a row may be deleted, by the profiles that Klaviyo has. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType
from reverse_etl.domain.receipts import HoldCode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reverse_etl.klaviyo.profiles import Profile


@dataclass
class FoundProfile:
    """A profile that was found for a row, and the types of the row's identifiers by which it was found."""

    profile: Profile
    kinds: set[IdentifierType] = field(default_factory=set)

    def may_be(self, identifiers: Mapping[IdentifierType, str]) -> bool:
        """Return whether nothing shows that the profile is of somebody else than the row's person.

        An e-mail or a phone may belong to another person too: then the profile shows other identifiers than
        the row has.
        """
        return bool(self.kinds & {*UNIQUE_IDENTIFIERS}) or all(
            kind in self.kinds or self.profile.identifier(kind) is None for kind in identifiers
        )


def find_hold(
    identifiers: Mapping[IdentifierType, str], profiles: Collection[FoundProfile]
) -> HoldCode | None:
    """Return why a row with these identifiers is held, None if it has no profile or one to delete."""
    if len(profiles) > 1:
        return HoldCode.SEVERAL_PROFILES
    if not all(profile.may_be(identifiers) for profile in profiles):
        return HoldCode.OTHER_PERSON
    return None
