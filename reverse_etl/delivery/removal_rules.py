"""Leaving: what is to become of a row that is no longer desired, by what Klaviyo shows of it. Pure."""

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

    `uncertain`: an earlier run may have removed it already, or never have added it.
    """

    seq: int
    identity: str
    identifiers: Mapping[IdentifierType, str | None]
    first_sent: datetime
    uncertain: bool

    def shared_identifier_types(self, profile: Profile) -> set[IdentifierType]:
        """Return the types of the identifiers that the row was sent with and the profile has."""
        return {
            kind
            for kind, value in self.identifiers.items()
            if value is not None and profile.identifier(kind) == value
        }


@dataclass(frozen=True)
class IdentifierMatch:
    """That a staged row carries a profile's identifier of this type.

    Whose it is, whether it was rejected, and whether it is a row of this list.
    """

    kind: IdentifierType
    identity: str | None
    rejected: bool
    on_this_list: bool


@dataclass(frozen=True)
class RemovalDecision:
    """What is to become of a leaving row, and the profiles to take off the list for it.

    `successors` are the rows, desired or leaving too, that the person goes by whom this job put there as this
    row.
    """

    row: RemovalCandidate
    outcome: Outcome
    profile_ids: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemovalEvidence:
    """What Klaviyo, the staged rows and the state say of the profiles that leaving rows find.

    `profiles_by_seq` has, by the number of a row, who carries an identifier of it on the list, or an id of it
    anywhere; and who has its identity anywhere, where others were found and none has it. `joined_at` says
    since when those of them are members who are; `matches_by_profile` has the claims on each;
    `profile_ids_by_identity` the profiles that each desired identity of this list was found to be;
    `run_windows` when each run began and ended that may have put somebody on this list, in Klaviyo's time.
    """

    profiles_by_seq: Mapping[int, Sequence[Profile]]
    joined_at: Mapping[str, datetime]
    matches_by_profile: Mapping[str, Sequence[IdentifierMatch]]
    profile_ids_by_identity: Mapping[str, frozenset[str]]
    run_windows: Sequence[tuple[datetime, datetime]]

    def select_members(self, profiles: Iterable[Profile]) -> list[Profile]:
        """Return which of the profiles are on the list."""
        return [profile for profile in profiles if profile.id in self.joined_at]

    def joined_since(self, profile: Profile, since: datetime) -> bool:
        """Say whether a member joined no earlier than that."""
        return self.joined_at[profile.id] >= since - CLOCK_SKEW_TOLERANCE

    def joined_during_run(self, profile: Profile, row: RemovalCandidate) -> bool:
        """Say whether a member joined while a run was under way that sent the row, or a later one."""
        joined = self.joined_at[profile.id]
        return any(
            started >= row.first_sent
            and started - CLOCK_SKEW_TOLERANCE <= joined <= ended + CLOCK_SKEW_TOLERANCE
            for started, ended in self.run_windows
        )

    def find_matching_rows(self, profile: Profile, row: RemovalCandidate) -> set[str]:
        """Return the staged rows that have what row and profile share, and more of the profile's.

        As after a new e-mail with the same phone: by both, the model itself says who the profile is now. Not
        those that were found to be somebody else.
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
        """Return which of these desired rows of this list were found to be the profile."""
        return {
            identity
            for identity in identities
            if profile.id in self.profile_ids_by_identity.get(identity, ())
        }


def decide_removals(
    rows: Sequence[RemovalCandidate], evidence: RemovalEvidence
) -> tuple[RemovalDecision, ...]:
    """Say what is to become of rows that leave together, in the order given.

    Several may be one person: whom this job put on the list as one of them, it put there as each.
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
    """Return the members who are a row's person: surely, else without a name, else as another leaving row."""
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
    """Say whether another leaving row has what row and profile share, and more of the profile's."""
    other_types = other.shared_identifier_types(profile)
    return bool(other_types & row.shared_identifier_types(profile)) and len(other_types) > 1


def decide_removal(
    row: RemovalCandidate,
    row_members: Sequence[Profile],
    managed_ids: Collection[str],
    other_identities: Iterable[str],
    evidence: RemovalEvidence,
) -> RemovalDecision:
    """Say what is to become of one leaving row, whose person `row_members` are.

    Of them, this job put there those in `managed_ids`; `other_identities` are the other leaving rows that the
    person goes by.
    """
    profiles = evidence.profiles_by_seq.get(row.seq, ())
    members = evidence.select_members(profiles)
    uncertain_members = (
        [] if find_definite_matches(row, profiles) or select_without_identity(row, members) else members
    )
    if reassigned := [
        profile for profile in uncertain_members if find_current_identities(row, profile, evidence)
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
    if managed := find_matches_under_new_identity(row, uncertain_members, evidence):
        return _decide_managed(row, managed, other_identities, evidence)
    return RemovalDecision(
        row, Outcome.REMOVED if row.uncertain and not uncertain_members else Outcome.NOT_FOUND
    )


def _decide_managed(
    row: RemovalCandidate,
    managed: Iterable[Profile],
    other_identities: Iterable[str],
    evidence: RemovalEvidence,
) -> RemovalDecision:
    """Say whom of those that this job put there may be taken off, since nobody who is wanted is behind it."""
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
        )  # such a one may be this one
        if has_unresolved or any(match.rejected for match in other_matches):
            return RemovalDecision(row, Outcome.HELD, successors=_sort_unique(other_identities))
        profile_identities = evidence.select_identities_of(profile, desired_identities)
        successors |= profile_identities
        if not profile_identities:
            removable_ids.append(profile.id)
    outcome = Outcome.REMOVED if removable_ids else Outcome.REPLACED
    return RemovalDecision(row, outcome, tuple(removable_ids), _sort_unique(successors, other_identities))


def find_definite_matches(row: RemovalCandidate, profiles: Iterable[Profile]) -> list[Profile]:
    """Return who is the row's person for certain: who carries its identity, or an id of it.

    An e-mail or a phone may be somebody else's by now, or have been all along. Who is found by these alone is
    the person only where nobody is so for certain, and where the profile has no such identity, or the model
    itself calls it something else now.
    """
    kind, _ = split_identity(row.identity)
    return [
        profile for profile in profiles if row.shared_identifier_types(profile) & {kind, *UNIQUE_IDENTIFIERS}
    ]


def select_without_identity(row: RemovalCandidate, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that have no identity such as the row's."""
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if profile.identifier(kind) is None]


def find_current_identities(row: RemovalCandidate, profile: Profile, evidence: RemovalEvidence) -> set[str]:
    """Return the desired rows of this list that a row's person goes by now, where nobody is so for certain.

    As after a new e-mail with the same phone: whoever was put on the list since has the phone still.
    """
    if not evidence.joined_since(profile, row.first_sent):
        return set()
    return evidence.select_identities_of(profile, evidence.find_matching_rows(profile, row))


def find_matches_under_new_identity(
    row: RemovalCandidate, profiles: Iterable[Profile], evidence: RemovalEvidence
) -> list[Profile]:
    """Return who is a row's person under a new name, where nobody is so for certain.

    As after a new e-mail with the same phone, and a move to another list by the same build: whoever joined
    while the job sent the row has the phone still, and a row of the model has it with another identifier of
    that member.
    """
    return [
        profile
        for profile in profiles
        if evidence.joined_during_run(profile, row) and evidence.find_matching_rows(profile, row)
    ]


def collect_inherited_first_sent(decisions: Iterable[RemovalDecision]) -> dict[str, datetime]:
    """Return since when each heir's profile may be a member by our doing: since a row before was first sent.

    Without it, whoever once changed an e-mail would later seem to have been on the list before this job.
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
