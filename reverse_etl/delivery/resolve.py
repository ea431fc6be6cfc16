"""Resolve: who the leaving rows are at Klaviyo, and who of them is wanted after all.

Asked just before anyone is removed. A removal takes off only a member whom this job put there, and only if no
desired row is that profile. Every identifier that was delivered is asked for: e-mails and phones of the list
itself, the others of the account; nothing is taken from memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from reverse_etl.delivery.flight import in_flight
from reverse_etl.delivery.tally import Outcome
from reverse_etl.identifiers import IdentifierType, split_identity
from reverse_etl.klaviyo.filters import MOST_VALUES, OF_MEMBERS
from reverse_etl.klaviyo.pack import chunks
from reverse_etl.klaviyo.profiles import Member, Profile
from reverse_etl.moments import GRACE

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.delivery.at import At

_ELSEWHERE = (IdentifierType.PROFILE_ID, IdentifierType.EXTERNAL_ID)


@dataclass(frozen=True)
class Leaving:
    """A row that is no longer desired on the list.

    `uncertain`: an earlier run may have removed it already, or never have added it.
    """

    seq: int
    identity: str
    identifiers: Mapping[IdentifierType, str | None]
    first_sent: datetime
    uncertain: bool


@dataclass(frozen=True)
class Claim:
    """A staged row that carries an identifier: its identity if it has one, and whether it was rejected."""

    identity: str | None
    rejected: bool
    on_this_list: bool


@dataclass(frozen=True)
class Resolved:
    """What is to become of a leaving row, and the profiles to take off the list for it.

    `heirs` are the identities that a profile which this job put on the list goes by now.
    """

    row: Leaving
    outcome: Outcome
    profiles: tuple[str, ...] = ()
    heirs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What Klaviyo and the staged rows say of the profiles that leaving rows find.

    `joined` has the members among them, `carried` the claims on each profile, `wanted` the profiles that each
    desired identity was found to be.
    """

    joined: Mapping[str, datetime]
    carried: Mapping[str, Sequence[Claim]]
    wanted: Mapping[str, frozenset[str]]

    def put_there(self, row: Leaving, profiles: Iterable[Profile]) -> list[str]:
        """Return the ids of those who became members no earlier than the row was first sent."""
        since = row.first_sent - GRACE
        return [each.id for each in profiles if each.id in self.joined and self.joined[each.id] >= since]


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
    evidence = Evidence(found.joined, carried, wanted)
    return tuple(
        decide(row, [found.profiles[profile] for profile in found.by_row.get(row.seq, ())], evidence)
        for row in rows
    )


def decide(row: Leaving, profiles: Sequence[Profile], evidence: Evidence) -> Resolved:
    """Say what is to become of one leaving row, whose identifiers find `profiles`. Pure."""
    members = [profile for profile in theirs(row, profiles) if profile.id in evidence.joined]
    if not members:
        if renamed := _renamed(row, profiles, evidence):
            return Resolved(row, Outcome.SUPERSEDED, heirs=renamed)
        return Resolved(row, Outcome.REMOVED if row.uncertain else Outcome.GONE)
    ours = evidence.put_there(row, members)
    if not ours:
        return Resolved(row, Outcome.KEPT)
    free: list[str] = []
    heirs: set[str] = set()
    for id_ in ours:
        claims = evidence.carried.get(id_, ())
        others = [claim for claim in claims if claim.identity != row.identity or claim.rejected]
        if any(claim.rejected for claim in others):
            return Resolved(row, Outcome.HELD)
        rivals = {claim.identity for claim in others if claim.on_this_list and claim.identity}
        if any(identity not in evidence.wanted for identity in rivals):  # who is nobody else may be this one
            return Resolved(row, Outcome.HELD)
        holders = {identity for identity in rivals if id_ in evidence.wanted.get(identity, ())}
        heirs |= holders
        if not holders:
            free.append(id_)
    return Resolved(row, Outcome.REMOVED if free else Outcome.SUPERSEDED, tuple(free), tuple(sorted(heirs)))


def _renamed(row: Leaving, profiles: Sequence[Profile], evidence: Evidence) -> tuple[str, ...]:
    """Return the desired rows that a leaving row's person goes by now, where nobody carries its identity.

    As after a new e-mail with the same phone: whoever was put on the list since has the phone still, and a
    desired row both is that member and carries another identifier of it.
    """
    kind, value = split_identity(row.identity)
    if any(profile.identifier(kind) == value for profile in profiles):
        return ()
    heirs: set[str] = set()
    for id_ in evidence.put_there(row, profiles):
        claims = [each for each in evidence.carried.get(id_, ()) if each.on_this_list and not each.rejected]
        identifiers = Counter(claim.identity for claim in claims if claim.identity)
        desired = {identity for identity, many in identifiers.items() if many > 1}
        heirs |= {identity for identity in desired if id_ in evidence.wanted.get(identity, ())}
    return tuple(sorted(heirs))


def theirs(row: Leaving, profiles: Sequence[Profile]) -> list[Profile]:
    """Return which of the profiles that a row's identifiers find are the row's person. Pure.

    Those that carry its identity, and those that carry an id of it, which two people don't share. An e-mail
    or a phone may be somebody else's by now, or have been all along: who is found by these alone is the
    person only where nobody carries the identity or an id, and where the profile has no such identity.
    """
    kind, _ = split_identity(row.identity)
    own = {each: row.identifiers.get(each) for each in (kind, *_ELSEWHERE)}
    sure = [
        profile
        for profile in profiles
        if any(value and profile.identifier(each) == value for each, value in own.items())
    ]
    return sure or [profile for profile in profiles if profile.identifier(kind) is None]


def _find(at: At, list_id: str, rows: Sequence[Leaving]) -> _Found:
    found = _Found()
    for kind in OF_MEMBERS:
        values = _values(rows, kind)
        members = _ask(at, partial(at.klaviyo.members, list_id, kind), values)
        _note(found, rows, kind, members)
    for kind in _ELSEWHERE:  # of all rows: who was found by an e-mail may have left another profile behind
        _note(found, rows, kind, _ask(at, partial(at.klaviyo.profiles, kind), _values(rows, kind)))
    _note_joined(at, list_id, found, rows)
    return found


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
