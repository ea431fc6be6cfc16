"""Leaving: what is to become of a row that is no longer desired, by what Klaviyo shows of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.tally import Outcome
from reverse_etl.identifiers import IdentifierType, split_identity
from reverse_etl.moments import GRACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.profiles import Profile

IDS = (IdentifierType.PROFILE_ID, IdentifierType.EXTERNAL_ID)  # two people don't share these


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

    def carries(self, kind: IdentifierType, value: str | None) -> bool:
        """Say whether the row was sent with this identifier."""
        return value is not None and self.identifiers.get(kind) == value


@dataclass(frozen=True)
class Claim:
    """A staged row that carries an identifier: its identity if it has one, and whether it was rejected."""

    identity: str | None
    rejected: bool
    on_this_list: bool


@dataclass(frozen=True)
class Resolved:
    """What is to become of a leaving row, and the profiles to take off the list for it.

    `heirs` are the identities that a profile which this job put on the list goes by now, or went by since.
    """

    row: Leaving
    outcome: Outcome
    profiles: tuple[str, ...] = ()
    heirs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What Klaviyo, the staged rows and the state say of the profiles that leaving rows find.

    `found` has the profiles that carry an identifier of each row, by its number; `joined` the members among
    them; `carried` the claims on each profile; `wanted` the profiles that each desired identity was found to
    be; and `run_ends` when each earlier run ended, by when it began, both in Klaviyo's time.
    """

    found: Mapping[int, Sequence[Profile]]
    joined: Mapping[str, datetime]
    carried: Mapping[str, Sequence[Claim]]
    wanted: Mapping[str, frozenset[str]]
    run_ends: Mapping[datetime, datetime]

    def members(self, profiles: Iterable[Profile]) -> list[Profile]:
        """Return which of the profiles are on the list."""
        return [each for each in profiles if each.id in self.joined]

    def put_there(self, row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
        """Return those who became members no earlier than the row was first sent."""
        since = row.first_sent - GRACE
        return [each for each in self.members(profiles) if self.joined[each.id] >= since]

    def put_there_at_first(self, row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
        """Return those who became members while the run was under way that first sent the row."""
        ended = self.run_ends.get(row.first_sent)
        if ended is None:
            return []
        return [each for each in self.put_there(row, profiles) if self.joined[each.id] <= ended + GRACE]


def decide_all(rows: Sequence[Leaving], evidence: Evidence) -> tuple[Resolved, ...]:
    """Say what is to become of rows that leave together, in the order given."""
    leaving = {row.identity: row for row in rows}
    later = {row.seq: later_names(row, leaving, evidence) for row in rows}
    since = inheritance((row.first_sent, later[row.seq]) for row in rows)
    resolved = []
    for row in rows:
        first = min(row.first_sent, since.get(row.identity, row.first_sent))
        decided = decide(replace(row, first_sent=first), evidence)
        resolved.append(replace(decided, heirs=(*decided.heirs, *later[row.seq])))
    return tuple(resolved)


def decide(row: Leaving, evidence: Evidence) -> Resolved:
    """Say what is to become of one leaving row."""
    profiles = evidence.found.get(row.seq, ())
    known = surely(row, profiles)
    members = evidence.members(known or nameless(row, profiles))
    if not members:
        if heirs := new_names(row, evidence):
            return Resolved(row, Outcome.SUPERSEDED, heirs=heirs)
        strangers = [] if known else evidence.members(profiles)
        members = evidence.put_there_at_first(row, strangers)
        if not members:
            return Resolved(row, Outcome.REMOVED if row.uncertain and not strangers else Outcome.GONE)
    ours = evidence.put_there(row, members)
    if not ours:
        return Resolved(row, Outcome.KEPT)
    free: list[str] = []
    heirs_of_all: set[str] = set()
    for profile in ours:
        claims = evidence.carried.get(profile.id, ())
        others = [claim for claim in claims if claim.identity != row.identity or claim.rejected]
        if any(claim.rejected for claim in others):
            return Resolved(row, Outcome.HELD)
        rivals = {claim.identity for claim in others if claim.on_this_list and claim.identity}
        if any(identity not in evidence.wanted for identity in rivals):  # who is nobody else may be this one
            return Resolved(row, Outcome.HELD)
        holders = {identity for identity in rivals if profile.id in evidence.wanted.get(identity, ())}
        heirs_of_all |= holders
        if not holders:
            free.append(profile.id)
    outcome = Outcome.REMOVED if free else Outcome.SUPERSEDED
    return Resolved(row, outcome, tuple(free), tuple(sorted(heirs_of_all)))


def surely(row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
    """Return who is the row's person for certain: who carries its identity, or an id of it.

    An e-mail or a phone may be somebody else's by now, or have been all along. Who is found by these alone
    is the person only where nobody is so for certain, and where the profile has no such identity, or joined
    when the row was first sent: then Klaviyo gave the profile another name since.
    """
    kind, _ = split_identity(row.identity)
    return [
        profile
        for profile in profiles
        if any(row.carries(each, profile.identifier(each)) for each in (kind, *IDS))
    ]


def nameless(row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that have no identity such as the row's."""
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if profile.identifier(kind) is None]


def new_names(row: Leaving, evidence: Evidence) -> tuple[str, ...]:
    """Return the desired rows that a leaving row's person goes by now, where nobody carries its identity.

    As after a new e-mail with the same phone: whoever was put on the list since has the phone still, and a
    desired row both is that member and carries another identifier of it.
    """
    names: set[str] = set()
    for profile in _under_another(row, evidence):
        claims = [
            each for each in evidence.carried.get(profile.id, ()) if each.on_this_list and not each.rejected
        ]
        identifiers = Counter(claim.identity for claim in claims if claim.identity)
        desired = {identity for identity, many in identifiers.items() if many > 1}
        names |= {identity for identity in desired if profile.id in evidence.wanted.get(identity, ())}
    return tuple(sorted(names))


def later_names(row: Leaving, leaving: Mapping[str, Leaving], evidence: Evidence) -> tuple[str, ...]:
    """Return the rows leaving too that a row's person went by since, where nobody carries its identity.

    As after a new e-mail with the same phone, when the new row leaves before the old one was resolved.
    `leaving` has the rows by identity.
    """
    names: set[str] = set()
    for profile in _under_another(row, evidence):
        common = {each for each in IdentifierType if row.carries(each, profile.identifier(each))}
        for kind in IdentifierType:
            name = f"{kind}:{profile.identifier(kind)}"
            other = leaving.get(name)
            if other and any(other.carries(each, profile.identifier(each)) for each in common - {kind}):
                names.add(name)
    return tuple(sorted(names - {row.identity}))


def _under_another(row: Leaving, evidence: Evidence) -> list[Profile]:
    """Return whom this job may have put on the list as the row, where nobody goes by its identity now."""
    kind, _ = split_identity(row.identity)
    profiles = evidence.found.get(row.seq, ())
    if any(row.carries(kind, profile.identifier(kind)) for profile in profiles):
        return []
    return evidence.put_there(row, profiles)


def inheritance(heirs: Iterable[tuple[datetime, Iterable[str]]]) -> dict[str, datetime]:
    """Return since when each heir's profile may be a member by our doing: since a row before was first sent.

    Without it, whoever once changed an e-mail would later seem to have been on the list before this job.
    """
    since: dict[str, datetime] = {}
    for first_sent, identities in heirs:
        for identity in identities:
            since[identity] = min(first_sent, since.get(identity, first_sent))
    return since
