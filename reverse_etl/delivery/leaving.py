"""Leaving: what is to become of a row that is no longer desired, by what Klaviyo shows of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.tally import Outcome
from reverse_etl.identifiers import IdentifierType, split_identity
from reverse_etl.moments import GRACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
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

    def shared_with(self, profile: Profile) -> set[IdentifierType]:
        """Return the types of the identifiers that the row was sent with and the profile has."""
        return {
            kind
            for kind, value in self.identifiers.items()
            if value is not None and profile.identifier(kind) == value
        }


@dataclass(frozen=True)
class Claim:
    """A staged row that carries an identifier of this type: its identity, and whether it was rejected."""

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

    `found` has, by the number of a row, who carries an identifier of it on the list, and its identity or an
    id anywhere; `joined` since when they are members; `carried` the claims on each; `wanted` the profiles
    that each desired identity was found to be; `run_ends` when earlier runs ended, by when they began, both
    in Klaviyo's time.
    """

    found: Mapping[int, Sequence[Profile]]
    joined: Mapping[str, datetime]
    carried: Mapping[str, Sequence[Claim]]
    wanted: Mapping[str, frozenset[str]]
    run_ends: Mapping[datetime, datetime]

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
            begun >= row.first_sent and begun - GRACE <= joined <= ended + GRACE
            for begun, ended in self.run_ends.items()
        )

    def called(self, profile: Profile, row: Leaving, *, here: bool) -> set[str]:
        """Return the staged rows, `here` or on any list, that have what a row and a profile share, and more.

        As after a new e-mail with the same phone: by both, the model itself says who the profile is now.
        """
        carried: dict[str, set[IdentifierType]] = defaultdict(set)
        for claim in self.carried.get(profile.id, ()):
            if claim.identity and not claim.rejected and (claim.on_this_list or not here):
                carried[claim.identity].add(claim.kind)
        shared = row.shared_with(profile)
        return {identity for identity, kinds in carried.items() if kinds & shared and len(kinds) > 1}


def decide_all(rows: Sequence[Leaving], evidence: Evidence) -> tuple[Resolved, ...]:
    """Say what is to become of rows that leave together, in the order given.

    Whom this job put on the list as one of them, it put there, also if another one is what the person is
    called now, and was first sent later.
    """
    rows_of: dict[str, list[Leaving]] = defaultdict(list)
    for row in rows:
        for profile in surely(row, evidence.found.get(row.seq, ())):
            rows_of[profile.id].append(row)
    since: dict[str, datetime] = {}
    names: dict[int, set[str]] = defaultdict(set)
    later: dict[int, list[Profile]] = defaultdict(list)
    for row in rows:
        profiles = evidence.found.get(row.seq, ())
        known = surely(row, profiles)
        for profile in evidence.members(known or profiles):
            others = [each for each in rows_of[profile.id] if known or _called_so_too(each, row, profile)]
            if others and evidence.joined_since(profile, row.first_sent):
                since[profile.id] = min(row.first_sent, since.get(profile.id, row.first_sent))
                names[row.seq] |= {each.identity for each in others} - {row.identity}
                later[row.seq].append(profile)
    decided = (decide(row, evidence, since, later[row.seq]) for row in rows)
    return tuple(replace(each, heirs=tuple(sorted({*each.heirs, *names[each.row.seq]}))) for each in decided)


def _called_so_too(other: Leaving, row: Leaving, profile: Profile) -> bool:
    """Say whether another leaving row has what a row and a profile share, and more of the profile."""
    carried = other.shared_with(profile)
    return bool(carried & row.shared_with(profile)) and len(carried) > 1


def decide(
    row: Leaving, evidence: Evidence, since: Mapping[str, datetime], later: Sequence[Profile] = ()
) -> Resolved:
    """Say what is to become of one leaving row.

    `since` says from when on some profiles became members by our doing, where that was before this row was
    first sent; `later` has those by which its person goes as another leaving row.
    """
    profiles = evidence.found.get(row.seq, ())
    known = surely(row, profiles)
    members = evidence.members(known or nameless(row, profiles))
    if not members:
        strangers = [] if known else evidence.members(profiles)
        if heirs := new_names(row, strangers, evidence):
            return Resolved(row, Outcome.SUPERSEDED, heirs=heirs)
        members = [*later] or renamed(row, strangers, evidence)
        if not members:
            return Resolved(row, Outcome.REMOVED if row.uncertain and not strangers else Outcome.GONE)
    first = {each.id: min(row.first_sent, since.get(each.id, row.first_sent)) for each in members}
    ours = [each for each in members if evidence.joined_since(each, first[each.id])]
    return _free(row, ours, evidence) if ours else Resolved(row, Outcome.KEPT)


def _free(row: Leaving, profiles: Iterable[Profile], evidence: Evidence) -> Resolved:
    """Say which of the profiles may be taken off, since nobody who is wanted is behind them."""
    free: list[str] = []
    heirs: set[str] = set()
    for profile in profiles:
        claims = evidence.carried.get(profile.id, ())
        others = [claim for claim in claims if claim.identity != row.identity or claim.rejected]
        if any(claim.rejected for claim in others):
            return Resolved(row, Outcome.HELD)
        rivals = {claim.identity for claim in others if claim.on_this_list and claim.identity}
        if any(identity not in evidence.wanted for identity in rivals):  # who is nobody else may be this one
            return Resolved(row, Outcome.HELD)
        holders = _who_is(profile, rivals, evidence)
        heirs |= holders
        if not holders:
            free.append(profile.id)
    outcome = Outcome.REMOVED if free else Outcome.SUPERSEDED
    return Resolved(row, outcome, tuple(free), tuple(sorted(heirs)))


def _who_is(profile: Profile, identities: Collection[str], evidence: Evidence) -> set[str]:
    return {identity for identity in identities if profile.id in evidence.wanted.get(identity, ())}


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


def new_names(row: Leaving, strangers: Iterable[Profile], evidence: Evidence) -> tuple[str, ...]:
    """Return the desired rows of this list that a row's person goes by now, where nobody is so for certain.

    As after a new e-mail with the same phone: whoever was put on the list since has the phone still.
    """
    names: set[str] = set()
    for profile in strangers:
        if evidence.joined_since(profile, row.first_sent):
            names |= _who_is(profile, evidence.called(profile, row, here=True), evidence)
    return tuple(sorted(names))


def renamed(row: Leaving, strangers: Iterable[Profile], evidence: Evidence) -> list[Profile]:
    """Return who is a row's person under a new name, where nobody is so for certain.

    As after a new e-mail with the same phone, and a move to another list by the same build: whoever joined
    while the job sent the row has the phone still, and a row of the model has it with the member's e-mail.
    """
    return [
        profile
        for profile in strangers
        if evidence.joined_in_a_run(profile, row) and evidence.called(profile, row, here=False)
    ]


def inheritance(resolved: Iterable[Resolved]) -> dict[str, datetime]:
    """Return since when each heir's profile may be a member by our doing: since a row before was first sent.

    Without it, whoever once changed an e-mail would later seem to have been on the list before this job.
    """
    since: dict[str, datetime] = {}
    for each in resolved:
        for identity in each.heirs:
            since[identity] = min(each.row.first_sent, since.get(identity, each.row.first_sent))
    return since
