"""Leaving: what is to become of a row that is no longer desired, by what Klaviyo shows of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IDS, IdentifierType, split_identity
from reverse_etl.domain.timestamps import GRACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.profiles import Profile


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

    def shared_with(self, profile: Profile) -> set[IdentifierType]:
        """Return the types of the identifiers that the row was sent with and the profile has."""
        return {
            kind
            for kind, value in self.identifiers.items()
            if value is not None and profile.identifier(kind) == value
        }


@dataclass(frozen=True)
class Claim:
    """That a staged row carries a profile's identifier of this type.

    Whose it is, whether it was rejected, and whether it is a row of this list.
    """

    kind: IdentifierType
    identity: str | None
    rejected: bool
    on_this_list: bool


@dataclass(frozen=True)
class Resolved:
    """What is to become of a leaving row, and the profiles to take off the list for it.

    `heirs` are the rows, desired or leaving too, that the person goes by whom this job put there as this row.
    """

    row: Leaving
    outcome: Outcome
    profiles: tuple[str, ...] = ()
    heirs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What Klaviyo, the staged rows and the state say of the profiles that leaving rows find.

    `found` has, by the number of a row, who carries an identifier of it on the list, or an id of it anywhere;
    and who has its identity anywhere, where others were found and none has it. `joined` says since when those
    of them are members who are; `carried` has the claims on each; `wanted` the profiles that each desired
    identity of this list was found to be; `runs` when each run began and ended that may have put somebody on
    this list, in Klaviyo's time.
    """

    found: Mapping[int, Sequence[Profile]]
    joined: Mapping[str, datetime]
    carried: Mapping[str, Sequence[Claim]]
    wanted: Mapping[str, frozenset[str]]
    runs: Sequence[tuple[datetime, datetime]]

    def members(self, profiles: Iterable[Profile]) -> list[Profile]:
        """Return which of the profiles are on the list."""
        return [each for each in profiles if each.id in self.joined]

    def joined_since(self, profile: Profile, since: datetime) -> bool:
        """Say whether a member joined no earlier than that."""
        return self.joined[profile.id] >= since - GRACE

    def joined_in_a_run(self, profile: Profile, row: Leaving) -> bool:
        """Say whether a member joined while a run was under way that sent the row, or a later one."""
        joined = self.joined[profile.id]
        return any(
            begun >= row.first_sent and begun - GRACE <= joined <= ended + GRACE for begun, ended in self.runs
        )

    def called(self, profile: Profile, row: Leaving) -> set[str]:
        """Return the staged rows that have what row and profile share, and more of the profile's.

        As after a new e-mail with the same phone: by both, the model itself says who the profile is now. Not
        those that were found to be somebody else.
        """
        carried: dict[str, set[IdentifierType]] = defaultdict(set)
        for claim in self.carried.get(profile.id, ()):
            if claim.identity and not claim.rejected:
                carried[claim.identity].add(claim.kind)
        shared = row.shared_with(profile)
        return {
            identity
            for identity, kinds in carried.items()
            if kinds & shared and len(kinds) > 1 and profile.id in self.wanted.get(identity, {profile.id})
        }

    def holders(self, profile: Profile, identities: Iterable[str]) -> set[str]:
        """Return which of these desired rows of this list were found to be the profile."""
        return {identity for identity in identities if profile.id in self.wanted.get(identity, ())}


def decide_all(rows: Sequence[Leaving], evidence: Evidence) -> tuple[Resolved, ...]:
    """Say what is to become of rows that leave together, in the order given.

    Several may be one person: whom this job put on the list as one of them, it put there as each.
    """
    named: dict[str, list[Leaving]] = defaultdict(list)
    for row in rows:
        for profile in surely(row, evidence.found.get(row.seq, ())):
            named[profile.id].append(row)
    people = {row.seq: _people(row, named, evidence) for row in rows}
    ours: set[str] = set()
    names: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        for profile in people[row.seq]:
            if evidence.joined_since(profile, row.first_sent):
                ours.add(profile.id)
                names[row.seq] |= {each.identity for each in named[profile.id]} - {row.identity}
    return tuple(decide(row, people[row.seq], ours, names[row.seq], evidence) for row in rows)


def _people(row: Leaving, named: Mapping[str, Sequence[Leaving]], evidence: Evidence) -> list[Profile]:
    """Return the members who are a row's person: surely, else without a name, else as another leaving row."""
    found = evidence.found.get(row.seq, ())
    if known := surely(row, found):
        return evidence.members(known)
    members = evidence.members(found)
    return nameless(row, members) or [
        profile
        for profile in members
        if evidence.joined_in_a_run(profile, row)
        and any(_called_so_too(other, row, profile) for other in named.get(profile.id, ()))
    ]


def _called_so_too(other: Leaving, row: Leaving, profile: Profile) -> bool:
    """Say whether another leaving row has what row and profile share, and more of the profile's."""
    carried = other.shared_with(profile)
    return bool(carried & row.shared_with(profile)) and len(carried) > 1


def decide(
    row: Leaving, people: Sequence[Profile], ours: Collection[str], names: Iterable[str], evidence: Evidence
) -> Resolved:
    """Say what is to become of one leaving row, whose person `people` are.

    Of them, this job put there those in `ours`; `names` are the other leaving rows that the person goes by.
    """
    found = evidence.found.get(row.seq, ())
    members = evidence.members(found)
    strangers = [] if surely(row, found) or nameless(row, members) else members
    if new := [each for each in strangers if new_names(row, each, evidence)]:
        put = [each for each in new if evidence.joined_in_a_run(each, row)]
        return Resolved(
            row, Outcome.SUPERSEDED, heirs=_sorted(*(new_names(row, each, evidence) for each in put))
        )
    if people:
        put = [each for each in people if each.id in ours]
        return _free(row, put, names, evidence) if put else Resolved(row, Outcome.KEPT)
    if put := renamed(row, strangers, evidence):
        return _free(row, put, names, evidence)
    return Resolved(row, Outcome.REMOVED if row.uncertain and not strangers else Outcome.GONE)


def _free(row: Leaving, put: Iterable[Profile], names: Iterable[str], evidence: Evidence) -> Resolved:
    """Say whom of those that this job put there may be taken off, since nobody who is wanted is behind it."""
    free: list[str] = []
    heirs: set[str] = set()
    for profile in put:
        claims = evidence.carried.get(profile.id, ())
        others = [claim for claim in claims if claim.identity != row.identity or claim.rejected]
        rivals = {claim.identity for claim in others if claim.on_this_list and claim.identity}
        nowhere = any(identity not in evidence.wanted for identity in rivals)  # such a one may be this one
        if nowhere or any(claim.rejected for claim in others):
            return Resolved(row, Outcome.HELD, heirs=_sorted(names))
        holders = evidence.holders(profile, rivals)
        heirs |= holders
        if not holders:
            free.append(profile.id)
    outcome = Outcome.REMOVED if free else Outcome.SUPERSEDED
    return Resolved(row, outcome, tuple(free), _sorted(heirs, names))


def surely(row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
    """Return who is the row's person for certain: who carries its identity, or an id of it.

    An e-mail or a phone may be somebody else's by now, or have been all along. Who is found by these alone is
    the person only where nobody is so for certain, and where the profile has no such identity, or the model
    itself calls it something else now.
    """
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if row.shared_with(profile) & {kind, *IDS}]


def nameless(row: Leaving, profiles: Iterable[Profile]) -> list[Profile]:
    """Return the profiles that have no identity such as the row's."""
    kind, _ = split_identity(row.identity)
    return [profile for profile in profiles if profile.identifier(kind) is None]


def new_names(row: Leaving, stranger: Profile, evidence: Evidence) -> set[str]:
    """Return the desired rows of this list that a row's person goes by now, where nobody is so for certain.

    As after a new e-mail with the same phone: whoever was put on the list since has the phone still.
    """
    if not evidence.joined_since(stranger, row.first_sent):
        return set()
    return evidence.holders(stranger, evidence.called(stranger, row))


def renamed(row: Leaving, strangers: Iterable[Profile], evidence: Evidence) -> list[Profile]:
    """Return who is a row's person under a new name, where nobody is so for certain.

    As after a new e-mail with the same phone, and a move to another list by the same build: whoever joined
    while the job sent the row has the phone still, and a row of the model has it with another identifier of
    that member.
    """
    return [each for each in strangers if evidence.joined_in_a_run(each, row) and evidence.called(each, row)]


def inheritance(resolved: Iterable[Resolved]) -> dict[str, datetime]:
    """Return since when each heir's profile may be a member by our doing: since a row before was first sent.

    Without it, whoever once changed an e-mail would later seem to have been on the list before this job.
    """
    since: dict[str, datetime] = {}
    for each in resolved:
        for identity in each.heirs:
            since[identity] = min(each.row.first_sent, since.get(identity, each.row.first_sent))
    return since


def _sorted(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({each for group in groups for each in group}))
