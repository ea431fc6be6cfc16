"""Find the rows of which a new e-mail or phone belongs to another profile, before they are imported.

Klaviyo's documentation does not say by which identifier an import finds a profile. It may be the e-mail
first, then the phone, and the external id last. If a row is known by an id and its new address has a profile
of its own, the import would then change that profile and add it to the list, beside the member that the row
had until then. Such a row is sent without the address, as if Klaviyo had refused it for that, and so stays
the same member.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.imports.refused_identifiers import record_omissions
from reverse_etl.delivery.lookups import Lookups
from reverse_etl.domain.identifiers import IdentifierType, split_identity
from reverse_etl.errors import FailureReason, KlaviyoError
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.state.omissions import Omission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.profiles import Profile

_READ_ROWS: Final = 10_000
_CODE: Final = "duplicate_profile"  # as Klaviyo says it
# The identifiers by which Klaviyo finds a profile before it looks at an identity of this type.
_FOUND_FIRST: Final[Mapping[IdentifierType, Sequence[IdentifierType]]] = {
    IdentifierType.PHONE: (IdentifierType.EMAIL,),
    IdentifierType.EXTERNAL_ID: (IdentifierType.EMAIL, IdentifierType.PHONE),
}


@dataclass(frozen=True)
class ChangedRow:
    """A row with a new e-mail or phone: its number, its identity, and the contacts that it is sent with."""

    seq: int
    identity: str
    contacts: Mapping[IdentifierType, str]

    @property
    def found_first(self) -> Sequence[tuple[IdentifierType, str]]:
        """Return the contacts by which Klaviyo finds a profile before it looks at the identity."""
        kind, _ = split_identity(self.identity)
        kinds = _FOUND_FIRST.get(kind, ())
        return [(first, self.contacts[first]) for first in kinds if first in self.contacts]


def omit_contacts_of_others(delivery: ListDelivery) -> None:
    """Leave out of rows each new e-mail or phone that another profile has, and report it.

    Asks only about rows whose e-mail or phone changed since they were applied, or that an earlier run may
    have added. If Klaviyo can't be asked, the list stops.
    """
    list_plan, identifiers = delivery.list_plan, delivery.model_plan.tables.identifiers
    may_be_known = list_plan.updates or (list_plan.adds and list_plan.uncertain_rows)
    if not may_be_known or not _may_mean_two_profiles(identifiers):
        return
    lookups = Lookups(delivery.context, delivery.list_id, delivery.refusals)
    for rows in delivery.pending_rows.read_changed_contacts(delivery.list_id, _READ_ROWS):
        changed = [
            ChangedRow(seq, identity, _present_contacts(contacts)) for seq, identity, *contacts in rows
        ]
        try:
            omissions = find_contacts_of_others(changed, lookups)
        except KlaviyoError as error:
            delivery.counter.fail(FailureReason.of(error))
            return
        record_omissions(delivery.context, delivery.pending_rows, delivery.model_name, omissions)


def find_contacts_of_others(rows: Sequence[ChangedRow], lookups: Lookups) -> list[Omission]:
    """Return the contacts that belong to another profile than the row's identity. Sends only GETs.

    An identity without a profile has no member to keep. A contact that Klaviyo refuses to look up counts as
    another's.
    """
    owners = _find_owners((contact for row in rows for contact in row.found_first), lookups)
    may_be_others = [
        row
        for row in rows
        if any(contact in owners or contact in lookups.refused_values for contact in row.found_first)
    ]
    own = _find_owners((split_identity(row.identity) for row in may_be_others), lookups)
    return [
        Omission(row.seq, kind, _CODE)
        for row in may_be_others
        for kind in _select_others(row, own.get(split_identity(row.identity), set()), owners, lookups)
    ]


def _select_others(
    row: ChangedRow,
    own_ids: set[str],
    owners: Mapping[tuple[IdentifierType, str], set[str]],
    lookups: Lookups,
) -> list[IdentifierType]:
    """Return the types of the contacts by which Klaviyo would find another profile than the row's own."""
    others: list[IdentifierType] = []
    for contact in row.found_first if own_ids else ():
        if owners.get(contact, set()) & own_ids:
            break  # Klaviyo finds the row's own profile by it, and looks at no further identifier
        if contact in owners or contact in lookups.refused_values:
            others.append(contact[0])
    return others


def _may_mean_two_profiles(identifiers: Iterable[IdentifierType]) -> bool:
    """Return whether Klaviyo may look at another identifier of a row before it looks at the identity."""
    kinds = [*identifiers]
    return any(
        first in kinds[position:]
        for position, kind in enumerate(kinds)
        for first in _FOUND_FIRST.get(kind, ())
    )


def _present_contacts(values: Iterable[str | None]) -> dict[IdentifierType, str]:
    return {kind: value for kind, value in zip(LIST_FILTERABLE, values, strict=True) if value is not None}


def _find_owners(
    values: Iterable[tuple[IdentifierType, str]], lookups: Lookups
) -> dict[tuple[IdentifierType, str], set[str]]:
    """Return the ids of the profiles that have an identifier, by identifier; none for one that nobody has."""
    values_by_kind: dict[IdentifierType, list[str]] = defaultdict(list)
    for kind, value in dict.fromkeys(values):
        values_by_kind[kind].append(value)
    owners: dict[tuple[IdentifierType, str], set[str]] = defaultdict(set)
    for kind, wanted in values_by_kind.items():
        profiles: Sequence[Profile] = lookups.find_profiles(kind, wanted)
        for profile in profiles:
            for value in profile.identifiers(kind):
                owners[kind, value].add(profile.id)
    return dict(owners)
