"""Decide what happens to rows that are no longer desired, from what Klaviyo shows. Pure.

Only members that reverse-etl added are removed, and only if no desired or rejected row may be the same
person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType, split_identity
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.profiles import Profile


@dataclass(frozen=True)
class RemovalCandidate:
    """A row that is no longer desired on the list.

    A row that is not `in_snapshot` may have been removed by an earlier run already, or never added.
    """

    seq: int
    identity: str
    identifiers: Mapping[IdentifierType, str | None]
    first_sent: datetime
    in_snapshot: bool

    def shared_identifier_types(self, profile: Profile) -> set[IdentifierType]:
        """Return the types of identifiers that the row was sent with and the profile has too."""
        return {
            kind
            for kind, value in self.identifiers.items()
            if value is not None and profile.identifier(kind) == value
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
    that share an id with it, and, if none of these has the row's identity, the profiles outside the list that
    do. - `joined_at`: by profile id, when a member joined the list; profiles that are no members are missing.
    - `matches_by_profile`: by profile id, the staged rows that share an identifier with the profile. -
    `profile_ids_by_identity`: by identity of a desired row of this list, the profiles that it was found to
    be. - `run_windows`: start and end of each run that may have added members to this list, in Klaviyo's
    time.
    """

    profiles_by_seq: Mapping[int, Sequence[Profile]]
    joined_at: Mapping[str, datetime]
    matches_by_profile: Mapping[str, Sequence[IdentifierMatch]]
    profile_ids_by_identity: Mapping[str, frozenset[str]]
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


def decide_removals(
    rows: Sequence[RemovalCandidate], evidence: RemovalEvidence
) -> tuple[RemovalDecision, ...]:
    """Return the decisions for rows that leave together, in the order given.

    Several rows may be one person. If reverse-etl added the person as one of them, it counts for all of them.
    """
    rows_by_profile: dict[str, list[RemovalCandidate]] = defaultdict(list)
    for row in rows:
        for profile in find_definite_matches(row, evidence.profiles_by_seq.get(row.seq, ())):
            rows_by_profile[profile.id].append(row)
    members_by_seq = {row.seq: _find_row_members(row, rows_by_profile, evidence) for row in rows}
    managed_ids: set[str] = set()
    other_identities: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        for profile in members_by_seq[row.seq]:
            if evidence.joined_since(profile, row.first_sent):
                managed_ids.add(profile.id)
                other_identities[row.seq] |= {other.identity for other in rows_by_profile[profile.id]} - {
                    row.identity
                }
    return tuple(
        decide_removal(row, members_by_seq[row.seq], managed_ids, other_identities[row.seq], evidence)
        for row in rows
    )


def _find_row_members(
    row: RemovalCandidate,
    rows_by_profile: Mapping[str, Sequence[RemovalCandidate]],
    evidence: RemovalEvidence,
) -> list[Profile]:
    """Return the members that a row means.

    These are the definite matches, otherwise the members without an identity of the row's type, otherwise
    those that another leaving row identifies.
    """
    profiles = evidence.profiles_by_seq.get(row.seq, ())
    if definite := find_definite_matches(row, profiles):
        return evidence.select_members(definite)
    members = evidence.select_members(profiles)
    return select_without_identity(row, members) or [
        profile
        for profile in members
        if evidence.joined_during_run(profile, row)
        and any(
            _shares_more_identifiers(other, row, profile) for other in rows_by_profile.get(profile.id, ())
        )
    ]


def _shares_more_identifiers(other: RemovalCandidate, row: RemovalCandidate, profile: Profile) -> bool:
    """Return whether another leaving row shares more identifiers with the profile than this row does."""
    other_types = other.shared_identifier_types(profile)
    return bool(other_types & row.shared_identifier_types(profile)) and len(other_types) > 1


def decide_removal(
    row: RemovalCandidate,
    row_members: Sequence[Profile],
    managed_ids: Collection[str],
    other_identities: Iterable[str],
    evidence: RemovalEvidence,
) -> RemovalDecision:
    """Return the decision for one leaving row.

    `row_members` are the members that the row means, `managed_ids` those that reverse-etl added, and
    `other_identities` the other leaving rows that identify the same person.
    """
    profiles = evidence.profiles_by_seq.get(row.seq, ())
    members = evidence.select_members(profiles)
    possible_members = (
        [] if find_definite_matches(row, profiles) or select_without_identity(row, members) else members
    )
    if reassigned := [
        profile for profile in possible_members if find_current_identities(row, profile, evidence)
    ]:
        managed = [profile for profile in reassigned if evidence.joined_during_run(profile, row)]
        return RemovalDecision(
            row,
            Outcome.REPLACED,
            successors=_sort_unique(
                *(find_current_identities(row, profile, evidence) for profile in managed)
            ),
        )
    if row_members:
        managed = [profile for profile in row_members if profile.id in managed_ids]
        return (
            _decide_managed(row, managed, other_identities, evidence)
            if managed
            else RemovalDecision(row, Outcome.UNMANAGED)
        )
    if managed := find_matches_under_new_identity(row, possible_members, evidence):
        return _decide_managed(row, managed, other_identities, evidence)
    return RemovalDecision(
        row, Outcome.REMOVED if not row.in_snapshot and not possible_members else Outcome.NOT_FOUND
    )


def _decide_managed(
    row: RemovalCandidate,
    managed: Iterable[Profile],
    other_identities: Iterable[str],
    evidence: RemovalEvidence,
) -> RemovalDecision:
    """Select the members we added that no desired row claims."""
    removable_ids: list[str] = []
    successors: set[str] = set()
    for profile in managed:
        matches = evidence.matches_by_profile.get(profile.id, ())
        other_matches = [match for match in matches if match.identity != row.identity or match.rejected]
        desired_identities = {
            match.identity for match in other_matches if match.on_this_list and match.identity
        }
        has_unresolved = any(
            identity not in evidence.profile_ids_by_identity for identity in desired_identities
        )  # an identity without a profile may be this person
        if has_unresolved or any(match.rejected for match in other_matches):
            return RemovalDecision(row, Outcome.HELD, successors=_sort_unique(other_identities))
        profile_identities = evidence.select_identities_of(profile, desired_identities)
        successors |= profile_identities
        if not profile_identities:
            removable_ids.append(profile.id)
    outcome = Outcome.REMOVED if removable_ids else Outcome.REPLACED
    return RemovalDecision(row, outcome, tuple(removable_ids), _sort_unique(successors, other_identities))


def find_definite_matches(row: RemovalCandidate, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that are definitely the row's person: they share its identity or a unique id.

    An e-mail or a phone may belong to somebody else by now. A profile that shares only these is the person
    only if there is no definite match, and if the profile has no identity of the row's type or the model now
    uses another identity for it.
    """
    kind, _ = split_identity(row.identity)
    return [
        profile for profile in profiles if row.shared_identifier_types(profile) & {kind, *UNIQUE_IDENTIFIERS}
    ]


def select_without_identity(row: RemovalCandidate, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that have no identifier of the type of the row's identity."""
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if profile.identifier(kind) is None]


def find_current_identities(row: RemovalCandidate, profile: Profile, evidence: RemovalEvidence) -> set[str]:
    """Return the desired rows of this list that now identify the row's person, without a definite match.

    For example after a new e-mail with the same phone.
    """
    if not evidence.joined_since(profile, row.first_sent):
        return set()
    return evidence.select_identities_of(profile, evidence.find_matching_identities(profile, row))


def find_matches_under_new_identity(
    row: RemovalCandidate, profiles: Iterable[Profile], evidence: RemovalEvidence
) -> list[Profile]:
    """Return the profiles that are the row's person under a new identity, without a definite match.

    For example after a new e-mail with the same phone together with a move to another list: the member joined
    while a run sent the row, and another row of the model shares the phone and a further identifier with it.
    """
    return [
        profile
        for profile in profiles
        if evidence.joined_during_run(profile, row) and evidence.find_matching_identities(profile, row)
    ]


def collect_inherited_first_sent(decisions: Iterable[RemovalDecision]) -> dict[str, datetime]:
    """Return for each successor the earliest time at which an earlier row of the person was first sent.

    Without it, a member whose e-mail changed would later look like a member from before the first run.
    """
    first_sent_by_identity: dict[str, datetime] = {}
    for decision in decisions:
        for identity in decision.successors:
            first_sent_by_identity[identity] = min(
                decision.row.first_sent, first_sent_by_identity.get(identity, decision.row.first_sent)
            )
    return first_sent_by_identity


def _sort_unique(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({identity for group in groups for identity in group}))
