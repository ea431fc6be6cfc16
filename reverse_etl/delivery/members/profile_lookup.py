"""Look up in Klaviyo who the leaving rows are, just before members are removed.

Every identifier that was sent is looked up: e-mails and phones among the members of the list, other
identifiers in the account. If the members found lack the row's identity, its e-mail or phone is looked up in
the account too. Nothing is taken from memory. `removal_rules.py` decides from the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.lookups import Lookups
from reverse_etl.delivery.members.removal_evidence import (
    IdentifierMatch,
    RemovalCandidate,
    RemovalDecision,
    RemovalEvidence,
)
from reverse_etl.delivery.members.removal_rules import decide_removals
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType, split_identity
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.klaviyo.profiles import Member, Profile

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.errors import UnusableReply


@dataclass
class _ProfileLookup:
    """The profiles that each row may mean, as Klaviyo returned them, and when they joined the list."""

    profiles_by_id: dict[str, Profile] = field(default_factory=dict)
    joined_at: dict[str, datetime] = field(default_factory=dict)
    profile_ids_by_seq: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add_profile(self, profile: Profile) -> None:
        """Add a profile, with the identifiers by which it was found before."""
        known = self.profiles_by_id.get(profile.id, profile)
        identifiers = known.other_identifiers | profile.other_identifiers
        self.profiles_by_id[profile.id] = replace(profile, other_identifiers=identifiers)


FindMatches = Callable[[Mapping[IdentifierType, Sequence[str]]], Iterable[tuple[str, IdentifierMatch]]]


@dataclass(frozen=True)
class ResolvedRemovals:
    """The decisions on leaving rows, in order.

    `unresolved` rows could not be looked up, each with the reason; they have no decision. `profiles` are all
    that were found, by id.
    """

    decisions: tuple[RemovalDecision, ...]
    unresolved: Mapping[int, UnusableReply]
    profiles: Mapping[str, Profile]


def resolve_removals(
    delivery: ListDelivery, rows: Sequence[RemovalCandidate], find_matches: FindMatches
) -> ResolvedRemovals:
    """Return what is to become of each leaving row, in the order given. Asks only; changes nothing.

    `find_matches` returns, for identifiers by type, the staged rows that carry them, rejected ones included.
    A row is left alone if Klaviyo refuses to look up an identifier of it, or of a profile that it may mean.
    """
    context, list_id = delivery.context, delivery.list_id
    lookups = Lookups(context, list_id, delivery.refusals)
    lookup = _look_up_profiles(lookups, rows)
    unresolved = _find_unresolved_rows(lookup, lookups.refused_values, rows)
    rows = [row for row in rows if row.seq not in unresolved]
    matches_by_profile = _match_identifiers(lookup, find_matches)
    profile_ids_by_identity = _look_up_identities(
        lookups, {match for matches in matches_by_profile.values() for match in matches}
    )
    profiles_by_seq = {
        row.seq: [lookup.profiles_by_id[id_] for id_ in lookup.profile_ids_by_seq.get(row.seq, ())]
        for row in rows
    }
    decisions = decide_removals(
        rows,
        RemovalEvidence(
            profiles_by_seq,
            lookup.joined_at,
            matches_by_profile,
            profile_ids_by_identity,
            _find_absent_identities(lookups, lookup, matches_by_profile, profile_ids_by_identity),
            context.state.runs.windows(list_id),
        ),
    )
    return ResolvedRemovals(decisions, unresolved, lookup.profiles_by_id)


def _find_unresolved_rows(
    lookup: _ProfileLookup,
    refused_values: Mapping[tuple[IdentifierType, str], UnusableReply],
    rows: Sequence[RemovalCandidate],
) -> dict[int, UnusableReply]:
    unresolved: dict[int, UnusableReply] = {}
    for row in rows if refused_values else ():
        profiles = [lookup.profiles_by_id[id_] for id_ in lookup.profile_ids_by_seq.get(row.seq, ())]
        identifiers = {(kind, row.identifiers.get(kind)) for kind in IdentifierType} | {
            (kind, profile.identifier(kind)) for kind in IdentifierType for profile in profiles
        }
        errors = [error for identifier, error in refused_values.items() if identifier in identifiers]
        if errors:
            unresolved[row.seq] = errors[0]
    return unresolved


def _look_up_profiles(lookups: Lookups, rows: Sequence[RemovalCandidate]) -> _ProfileLookup:
    lookup = _ProfileLookup()
    for kind in LIST_FILTERABLE:
        known = sorted({*_collect_values(rows, kind), *_collect_former_values(rows, kind)})
        _add_profiles(lookup, rows, kind, lookups.find_members(kind, known))
    for kind in UNIQUE_IDENTIFIERS:  # for all rows: a row found by e-mail may have a second profile
        _add_profiles(lookup, rows, kind, lookups.find_profiles(kind, _collect_values(rows, kind)))
    for kind in LIST_FILTERABLE:  # a profile outside the list with the row's identity rules out other members
        values = sorted(
            {split_identity(row.identity)[1] for row in rows if _lacks_exact_match(lookup, row, kind)}
        )
        _add_profiles(lookup, rows, kind, lookups.find_profiles(kind, values))
    _look_up_join_times(lookups, lookup, rows)
    return lookup


def _lacks_exact_match(lookup: _ProfileLookup, row: RemovalCandidate, kind: IdentifierType) -> bool:
    """Return whether profiles were found for a row with such an identity, but none has the identity."""
    profiles = [lookup.profiles_by_id[id_] for id_ in lookup.profile_ids_by_seq.get(row.seq, ())]
    has_exact_match = any(kind in row.shared_identifier_types(profile) for profile in profiles)
    return split_identity(row.identity)[0] == kind and bool(profiles) and not has_exact_match


def _add_profiles(
    lookup: _ProfileLookup,
    rows: Sequence[RemovalCandidate],
    kind: IdentifierType,
    items: Iterable[Member | Profile],
) -> None:
    seqs_by_value = defaultdict(list)
    for row in rows:
        seqs_by_value[row.identifiers.get(kind)].append(row.seq)
    for item in items:
        profile = item.profile if isinstance(item, Member) else item
        if isinstance(item, Member):
            lookup.joined_at[profile.id] = item.joined_at
        lookup.add_profile(profile)
        for value in sorted(profile.identifiers(kind)):
            for seq in seqs_by_value.get(value, ()):
                if profile.id not in lookup.profile_ids_by_seq[seq]:
                    lookup.profile_ids_by_seq[seq].append(profile.id)


def _look_up_join_times(lookups: Lookups, lookup: _ProfileLookup, rows: Sequence[RemovalCandidate]) -> None:
    """Look up which of the other profiles are members, and when they joined.

    Uses e-mail or phone; for profiles without both, reads the list.
    """
    unseen = {id_: profile for id_, profile in lookup.profiles_by_id.items() if id_ not in lookup.joined_at}
    for kind in LIST_FILTERABLE:
        values = sorted({value for profile in unseen.values() if (value := profile.identifier(kind))})
        for member in lookups.find_members(kind, values):
            if member.profile.id in unseen:
                lookup.joined_at[member.profile.id] = member.joined_at
    without_contact = {
        id_
        for id_, profile in unseen.items()
        if id_ not in lookup.joined_at and not any(profile.identifier(kind) for kind in LIST_FILTERABLE)
    }
    if not without_contact:
        return
    first = min(
        row.first_sent
        for row in rows
        if without_contact.intersection(lookup.profile_ids_by_seq.get(row.seq, ()))
    )
    for member in lookups.context.klaviyo.get_members_since(lookups.list_id, first - CLOCK_SKEW_TOLERANCE):
        lookups.context.state.renew_lease_if_due()  # reading a long list may outlast the lease
        if member.profile.id in without_contact:
            lookup.joined_at[member.profile.id] = member.joined_at
            without_contact.discard(member.profile.id)
            if not without_contact:
                return


def _match_identifiers(lookup: _ProfileLookup, find_matches: FindMatches) -> dict[str, list[IdentifierMatch]]:
    matches_by_profile: dict[str, list[IdentifierMatch]] = defaultdict(list)
    profile_ids_by_value: dict[IdentifierType, dict[str, list[str]]] = {}
    for kind in IdentifierType:
        profile_ids = profile_ids_by_value[kind] = defaultdict(list)
        for profile_id in lookup.joined_at:
            if profile_id in lookup.profiles_by_id:
                for value in lookup.profiles_by_id[profile_id].identifiers(kind):
                    profile_ids[value].append(profile_id)
    values_by_kind = {kind: sorted(values) for kind, values in profile_ids_by_value.items() if values}
    for value, match in find_matches(values_by_kind):
        for profile_id in profile_ids_by_value[match.kind][value]:
            matches_by_profile[profile_id].append(match)
    return matches_by_profile


def _look_up_identities(lookups: Lookups, matches: Iterable[IdentifierMatch]) -> dict[str, frozenset[str]]:
    """Return the profiles of each desired identity of this list that shares an identifier with a profile."""
    identities = {
        match.identity for match in matches if match.identity and match.on_this_list and not match.rejected
    }
    by_kind: dict[IdentifierType, list[str]] = defaultdict(list)
    for identity in sorted(identities):
        kind, value = split_identity(identity)
        by_kind[kind].append(value)
    profile_ids_by_identity: dict[str, set[str]] = defaultdict(set)
    for kind, values in by_kind.items():
        for profile in lookups.find_profiles(kind, values):
            for value in profile.identifiers(kind):
                profile_ids_by_identity[f"{kind}:{value}"].add(profile.id)
    return {identity: frozenset(profiles) for identity, profiles in profile_ids_by_identity.items()}


def _find_absent_identities(
    lookups: Lookups,
    lookup: _ProfileLookup,
    matches_by_profile: Mapping[str, Sequence[IdentifierMatch]],
    profile_ids_by_identity: Mapping[str, frozenset[str]],
) -> frozenset[str]:
    """Return the desired rows that share an id with a member, while nobody on the list has their identity.

    Klaviyo may have applied such a row to the member, if it looks at the id first.
    """
    identities: set[str] = set()
    for profile_id, matches in matches_by_profile.items():
        for match in matches:
            if match.identity and match.on_this_list and match.kind in UNIQUE_IDENTIFIERS:
                owners = profile_ids_by_identity.get(match.identity, frozenset())
                if profile_id not in owners and owners.isdisjoint(lookup.joined_at):
                    identities.add(match.identity)
    values_by_kind: dict[IdentifierType, list[str]] = defaultdict(list)
    for identity in sorted(identities):
        kind, value = split_identity(identity)
        values_by_kind[kind].append(value)
    present = {
        f"{kind}:{value}"
        for kind in LIST_FILTERABLE
        for member in lookups.find_members(kind, values_by_kind.get(kind, ()))
        for value in member.profile.identifiers(kind)
    }
    # Others, such as external ids, can't be looked up on a list.
    prefixes = tuple(f"{kind}:" for kind in LIST_FILTERABLE)
    return frozenset(identity for identity in identities - present if identity.startswith(prefixes))


def _collect_values(rows: Iterable[RemovalCandidate], kind: IdentifierType) -> list[str]:
    return sorted({value for row in rows if (value := row.identifiers.get(kind))})


def _collect_former_values(rows: Iterable[RemovalCandidate], kind: IdentifierType) -> set[str]:
    return {value for row in rows if (value := row.former_identifiers.get(kind))}
