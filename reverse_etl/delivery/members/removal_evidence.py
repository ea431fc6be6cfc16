"""Values of removals: leaving rows, the evidence about their profiles, and the decisions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.delivery.outcomes import Outcome
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.klaviyo.profiles import Profile


@dataclass(frozen=True)
class RemovalCandidate:
    """A row that is no longer desired on the list.

    A row that is not `in_snapshot` may have been removed by an earlier run already, or never added. It does
    not mean the profiles with one of its `former_identifiers`; but its own profile may still have them.
    """

    seq: int
    identity: str
    identifiers: Mapping[IdentifierType, str | None]
    first_sent: datetime
    in_snapshot: bool
    former_identifiers: Mapping[IdentifierType, str | None] = field(default_factory=dict)

    def shared_identifier_types(self, profile: Profile) -> set[IdentifierType]:
        """Return the types of identifiers that the row was sent with and the profile has too."""
        return {
            kind
            for kind, value in self.identifiers.items()
            if value is not None and value in profile.identifiers(kind)
        }


@dataclass(frozen=True)
class IdentifierMatch:
    """A staged row that has the same identifier of this type as a profile.

    `identity` is the row's, None if it has none; `rejected` and `on_this_list` describe the row.
    """

    kind: IdentifierType
    identity: str | None
    rejected: bool
    on_this_list: bool


@dataclass(frozen=True)
class RemovalDecision:
    """The decision on a leaving row, and the profiles to remove from the list for it.

    `successors` are other rows, desired or leaving, that identify the same member.
    """

    row: RemovalCandidate
    outcome: Outcome
    profile_ids: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemovalEvidence:
    """The evidence about the profiles that leaving rows may mean.

    - `profiles_by_seq`: by row number, the members that share an e-mail or phone with the row, the profiles
      that share an id with it, and, if none of these has the row's identity, the profiles outside the list
      that do.
    - `joined_at`: by profile id, when a member joined the list; profiles outside it are missing.
    - `matches_by_profile`: by profile id, the staged rows that share an identifier with the profile.
    - `profile_ids_by_identity`: by identity of a desired row of this list, the profiles that it was found to
      be.
    - `absent_identities`: identities of desired rows of this list that share an id with a member, and whose
      own profile is not on the list: the row may mean that member.
    - `run_windows`: start and end of each run that may have added members to this list, in Klaviyo's time.
    """

    profiles_by_seq: Mapping[int, Sequence[Profile]]
    joined_at: Mapping[str, datetime]
    matches_by_profile: Mapping[str, Sequence[IdentifierMatch]]
    profile_ids_by_identity: Mapping[str, frozenset[str]]
    absent_identities: frozenset[str]
    run_windows: Sequence[tuple[datetime, datetime]]

    def select_members(self, profiles: Iterable[Profile]) -> list[Profile]:
        """Return the profiles that are members of the list."""
        return [profile for profile in profiles if profile.id in self.joined_at]

    def joined_since(self, profile: Profile, since: datetime) -> bool:
        """Return whether a member joined at or after `since`."""
        return self.joined_at[profile.id] >= since - CLOCK_SKEW_TOLERANCE

    def joined_during_run(self, profile: Profile, row: RemovalCandidate) -> bool:
        """Return whether a member joined during a run that sent the row, or a later one."""
        joined = self.joined_at[profile.id]
        return any(
            started >= row.first_sent
            and started - CLOCK_SKEW_TOLERANCE <= joined <= ended + CLOCK_SKEW_TOLERANCE
            for started, ended in self.run_windows
        )

    def find_matching_identities(self, profile: Profile, row: RemovalCandidate) -> set[str]:
        """Return the identities of staged rows that share more identifiers with the profile than `row`.

        For example after a new e-mail with the same phone: the model itself says who the profile is now. Rows
        that were found to be another profile don't count.
        """
        types_by_identity: dict[str, set[IdentifierType]] = defaultdict(set)
        for match in self.matches_by_profile.get(profile.id, ()):
            if match.identity and not match.rejected:
                types_by_identity[match.identity].add(match.kind)
        shared = row.shared_identifier_types(profile)
        return {
            identity
            for identity, kinds in types_by_identity.items()
            if kinds & shared
            and len(kinds) > 1
            and profile.id in self.profile_ids_by_identity.get(identity, {profile.id})
        }

    def select_identities_of(self, profile: Profile, identities: Iterable[str]) -> set[str]:
        """Return the identities among these that were found to be the profile."""
        return {
            identity
            for identity in identities
            if profile.id in self.profile_ids_by_identity.get(identity, ())
        }
