"""Decide what happens to rows that are no longer desired, from what Klaviyo shows. Pure.

Only members that reverse-etl added are removed, and only if no desired or rejected row may be the same
person.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reverse_etl.delivery.members.removal_evidence import RemovalCandidate, RemovalDecision, RemovalEvidence
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType, split_identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.profiles import Profile


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

    These are the definite matches and the second profiles, otherwise the members without an identity of the
    row's type, otherwise those that another leaving row identifies.
    """
    profiles = evidence.profiles_by_seq.get(row.seq, ())
    members = evidence.select_members(profiles)
    if definite := find_definite_matches(row, profiles):
        others = [profile for profile in members if profile not in definite]
        return [*evidence.select_members(definite), *select_second_profiles(row, others, evidence)]
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
        if (
            any(match.rejected for match in other_matches)
            # An identity that no profile has may be this person.
            or any(identity not in evidence.profile_ids_by_identity for identity in desired_identities)
            # So may a row with the person's id, if nobody on the list has the row's own e-mail or phone.
            or any(
                match.kind in UNIQUE_IDENTIFIERS and match.identity in evidence.absent_identities
                for match in other_matches
            )
        ):
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
    uses another identity for it. `select_second_profiles` has the exception.
    """
    kind, _ = split_identity(row.identity)
    return [
        profile for profile in profiles if row.shared_identifier_types(profile) & {kind, *UNIQUE_IDENTIFIERS}
    ]


def select_without_identity(row: RemovalCandidate, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that have no identifier of the type of the row's identity."""
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if profile.identifier(kind) is None]


def select_second_profiles(
    row: RemovalCandidate, profiles: Iterable[Profile], evidence: RemovalEvidence
) -> list[Profile]:
    """Return the members that the row's import added beside the profile that is definitely the row's person.

    Klaviyo finds a profile by its e-mail before it looks at an id: if two profiles have them, the import of
    the row changes the one with the e-mail, and adds it to the list.
    """
    return [
        profile
        for profile in profiles
        if IdentifierType.EMAIL in row.shared_identifier_types(profile)
        and evidence.joined_during_run(profile, row)
    ]


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
