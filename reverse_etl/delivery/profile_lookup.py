"""Resolve: who the leaving rows are at Klaviyo, and who of them is wanted after all.

Asked just before anyone is removed. A removal takes off only a member whom this job put there, and only if no
desired row is that profile. Every identifier that was delivered is asked for: e-mails and phones of the list
itself, the others of the account; nothing is taken from memory. Where only others were found on the list, the
account is asked for the row's own e-mail or phone too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from reverse_etl.delivery.concurrency import in_flight
from reverse_etl.delivery.removal_rules import Claim, Evidence, Leaving, Resolved, decide_all
from reverse_etl.domain.identifiers import IDS, IdentifierType, split_identity
from reverse_etl.domain.timestamps import GRACE
from reverse_etl.klaviyo.batching import chunks
from reverse_etl.klaviyo.filters import MOST_VALUES, OF_MEMBERS
from reverse_etl.klaviyo.profiles import Member, Profile

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.context import At


@dataclass
class _Found:
    """What Klaviyo showed: who each row may be, and since when they are members."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    joined: dict[str, datetime] = field(default_factory=dict)
    by_row: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


Answer = TypeVar("Answer")
Claims = Callable[[IdentifierType, Sequence[str]], Iterable[tuple[str, Claim]]]


def resolve(at: At, list_id: str, rows: Sequence[Leaving], claims: Claims) -> tuple[Resolved, ...]:
    """Return what is to become of each leaving row, in the order given. Asks only; changes nothing.

    `claims` returns, for identifiers of one type, the staged rows that carry them, rejected ones included.
    """
    found = _find(at, list_id, rows)
    carried = _claims(found, claims)
    wanted = _look_up(at, {claim for many in carried.values() for claim in many})
    profiles = {row.seq: [found.profiles[id_] for id_ in found.by_row.get(row.seq, ())] for row in rows}
    return decide_all(rows, Evidence(profiles, found.joined, carried, wanted, at.state.runs.times(list_id)))


def _find(at: At, list_id: str, rows: Sequence[Leaving]) -> _Found:
    found = _Found()
    for kind in OF_MEMBERS:
        values = _values(rows, kind)
        members = _ask(at, partial(at.klaviyo.members, list_id, kind), values)
        _note(found, rows, kind, members)
    for kind in IDS:  # of all rows: who was found by an e-mail may have left another profile behind
        _note(found, rows, kind, _ask(at, partial(at.klaviyo.profiles, kind), _values(rows, kind)))
    for kind in OF_MEMBERS:  # whoever goes by the row's name off the list goes by no other on it
        values = sorted(
            {split_identity(row.identity)[1] for row in rows if _without_namesake(found, row, kind)}
        )
        _note(found, rows, kind, _ask(at, partial(at.klaviyo.profiles, kind), values))
    _note_joined(at, list_id, found, rows)
    return found


def _without_namesake(found: _Found, row: Leaving, kind: IdentifierType) -> bool:
    """Say whether a row whose identity is of this type found somebody, and nobody who has that identity."""
    profiles = [found.profiles[id_] for id_ in found.by_row.get(row.seq, ())]
    identified = any(kind in row.shared_with(each) for each in profiles)
    return split_identity(row.identity)[0] == kind and bool(profiles) and not identified


def _note(
    found: _Found, rows: Sequence[Leaving], kind: IdentifierType, answers: Iterable[Member | Profile]
) -> None:
    by_value = defaultdict(list)
    for row in rows:
        by_value[row.identifiers.get(kind)].append(row.seq)
    for answer in answers:
        profile = answer.profile if isinstance(answer, Member) else answer
        if isinstance(answer, Member):
            found.joined[profile.id] = answer.joined_at
        found.profiles[profile.id] = profile
        for seq in by_value.get(profile.identifier(kind), ()):
            if profile.id not in found.by_row[seq]:
                found.by_row[seq].append(profile.id)


def _note_joined(at: At, list_id: str, found: _Found, rows: Sequence[Leaving]) -> None:
    """Find out which of the profiles found elsewhere are on the list, and since when.

    By e-mail or phone, else by reading the list.
    """
    unseen = {id_: profile for id_, profile in found.profiles.items() if id_ not in found.joined}
    for kind in OF_MEMBERS:
        values = sorted({value for profile in unseen.values() if (value := profile.identifier(kind))})
        for member in _ask(at, partial(at.klaviyo.members, list_id, kind), values):
            if member.profile.id in unseen:
                found.joined[member.profile.id] = member.joined_at
    nameless = {
        id_
        for id_, profile in unseen.items()
        if id_ not in found.joined and not any(profile.identifier(kind) for kind in OF_MEMBERS)
    }
    if not nameless:
        return
    first = min(row.first_sent for row in rows if nameless.intersection(found.by_row.get(row.seq, ())))
    for member in at.klaviyo.members_since(list_id, first - GRACE):
        at.state.heartbeat()  # a long list takes long
        if member.profile.id in nameless:
            found.joined[member.profile.id] = member.joined_at
            nameless.discard(member.profile.id)
            if not nameless:
                return


def _claims(found: _Found, claims: Claims) -> dict[str, list[Claim]]:
    carried: dict[str, list[Claim]] = defaultdict(list)
    for kind in IdentifierType:
        owners: dict[str, list[str]] = defaultdict(list)
        for profile_id in found.joined:
            if profile_id in found.profiles and (value := found.profiles[profile_id].identifier(kind)):
                owners[value].append(profile_id)
        for value, claim in claims(kind, sorted(owners)) if owners else ():
            for profile_id in owners[value]:
                carried[profile_id].append(claim)
    return carried


def _look_up(at: At, claims: Iterable[Claim]) -> dict[str, frozenset[str]]:
    """Return, by identity that claims a found profile on this list, the profiles that it is found to be."""
    identities = {
        claim.identity for claim in claims if claim.identity and claim.on_this_list and not claim.rejected
    }
    by_kind: dict[IdentifierType, list[str]] = defaultdict(list)
    for identity in sorted(identities):
        kind, value = split_identity(identity)
        by_kind[kind].append(value)
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, values in by_kind.items():
        for profile in _ask(at, partial(at.klaviyo.profiles, kind), values):
            wanted[f"{kind}:{profile.identifier(kind)}"].add(profile.id)
    return {identity: frozenset(profiles) for identity, profiles in wanted.items()}


def _ask(at: At, ask: Callable[[Sequence[str]], Iterable[Answer]], values: Sequence[str]) -> list[Answer]:
    """Return what is answered, in the order of the values asked for."""
    parts = [*chunks(values, MOST_VALUES)]
    answers = dict(in_flight(at, lambda number: (number, [*ask(parts[number])]), range(len(parts))))
    return [answer for number in range(len(parts)) for answer in answers[number]]


def _values(rows: Iterable[Leaving], kind: IdentifierType) -> list[str]:
    return sorted({value for row in rows if (value := row.identifiers.get(kind))})
