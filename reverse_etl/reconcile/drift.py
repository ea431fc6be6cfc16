"""Compares the members of a list with the rows that were applied to it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.profile_lookup import Lookups
from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.domain.events import ListRead, Warned
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE, format_timestamp
from reverse_etl.errors import WarehouseError
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.klaviyo.profiles import Profile
from reverse_etl.reconcile.member_reader import read_members
from reverse_etl.state.sql import members, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.klaviyo.profiles import Member
    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.model_tables import ModelTables

SAMPLE_SIZE: Final = 3  # identities shown per kind of difference
_CONTACTS_PER_LOOKUP: Final = 5_000


@dataclass(frozen=True)
class OwnedList:
    """A list that a model owns, and the model's state tables."""

    model: str
    tables: ModelTables
    list_id: str
    list_name: str

    @property
    def comparison(self) -> members.ListComparison:
        """Return the tables in which its members are compared with its rows."""
        return members.ListComparison(self.tables, self.list_id)


@dataclass(frozen=True)
class ListDifference:
    """How a list differs from the rows that were applied to it, in counts and sample identities.

    `applied` rows are in the snapshot, and `missing` is how many of them match none of the `members`.
    `uncertain` rows may or may not be applied. `unmanaged` are members that match no row; the person of
    `removals_not_found` removals was not found then, and is a member now. `already_members` rows match a
    member who joined before reverse-etl first sent the row, so that no run removes them. `deleted` says that
    Klaviyo no longer has the list; all counts are 0 then.
    """

    model: str
    list_id: str
    list_name: str
    applied: int = 0
    uncertain: int = 0
    members: int = 0
    missing: int = 0
    unmanaged: int = 0
    already_members: int = 0
    removals_not_found: int = 0
    missing_sample: tuple[str, ...] = ()
    unmanaged_sample: tuple[str, ...] = ()
    removals_not_found_sample: tuple[str, ...] = ()
    deleted: bool = False


@contextmanager
def compare_list(context: DeliveryContext, owned_list: OwnedList) -> Iterator[ListDifference]:
    """Read a list and yield how it differs; inside the context, temporary tables hold the matches.

    Sends only GETs. Raises KlaviyoError and WarehouseError.
    """
    if context.klaviyo.get_list(owned_list.list_id) is None:
        yield ListDifference(owned_list.model, owned_list.list_id, owned_list.list_name, deleted=True)
        return
    for omitted in context.state.omissions.by_list().get((owned_list.model, owned_list.list_id), ()):
        context.on_event(Warned(omitted.describe(owned_list.list_name)))
    try:
        yield _read_and_compare(context, owned_list)
    finally:
        with suppress(WarehouseError):  # keep the original error
            for statement in schema.drop_temp_tables(
                context.warehouse.dialect, owned_list.comparison.temp_tables
            ):
                context.warehouse.execute(statement)


def _read_and_compare(context: DeliveryContext, owned_list: OwnedList) -> ListDifference:
    warehouse, comparison = context.warehouse, owned_list.comparison
    warehouse.set_query_tag(run=context.run_id, model=owned_list.model)
    warehouse.execute(members.create_members(comparison))
    for group in read_members(context, owned_list.list_id):
        for statement in members.insert_members(comparison, [_member_values(member) for member in group]):
            warehouse.execute(statement)
        context.state.renew_lease_if_due()  # reading a long list may outlast the lease
    _match(context, comparison)
    if _add_hidden_members(context, owned_list):
        _match(context, comparison)
    ((applied, uncertain, member_count, missing, unmanaged, already_members),) = warehouse.fetch(
        members.select_comparison_counts(comparison)
    )
    context.on_event(ListRead(owned_list.model, owned_list.list_name, member_count))
    removals_not_found = _first_values(
        warehouse.fetch(
            members.select_unmatched_but_present(comparison, context.state.scope.key, owned_list.model)
        )
    )
    return ListDifference(
        owned_list.model,
        owned_list.list_id,
        owned_list.list_name,
        applied=applied,
        uncertain=uncertain,
        members=member_count,
        missing=missing,
        unmanaged=unmanaged,
        already_members=already_members,
        removals_not_found=len(removals_not_found),
        missing_sample=_first_values(warehouse.fetch(members.select_missing_sample(comparison, SAMPLE_SIZE))),
        unmanaged_sample=_first_values(
            warehouse.fetch(members.select_unmanaged_sample(comparison, SAMPLE_SIZE))
        ),
        removals_not_found_sample=removals_not_found[:SAMPLE_SIZE],
    )


def _match(context: DeliveryContext, comparison: members.ListComparison) -> None:
    for statement in members.compare_members(comparison):
        context.warehouse.execute(statement)


def _add_hidden_members(context: DeliveryContext, owned_list: OwnedList) -> bool:
    """Look up the rows without a member by their e-mail and phone; return whether that found somebody.

    A profile may have several addresses and show another one than the row's, or show a phone in a form of its
    own. Such members are inserted once more, with the identifier by which Klaviyo found them.
    """
    warehouse, comparison, any_found = context.warehouse, owned_list.comparison, False
    lookups = Lookups(context, owned_list.list_id, ListRefusals(has_applied_rows=True), {})
    for contacts in warehouse.stream(members.select_unmatched_contacts(comparison), _CONTACTS_PER_LOOKUP):
        for kind, values in zip(LIST_FILTERABLE, zip(*contacts, strict=True), strict=True):
            found = lookups.find_members(kind, [value for value in values if value is not None])
            rows = [
                _member_values(_with_only(member, kind, value))
                for member in found
                for other_kind, value in sorted(member.profile.other_identifiers)
                if other_kind == kind
            ]
            any_found = any_found or bool(rows)
            for statement in members.insert_members(comparison, rows):
                warehouse.execute(statement)
        context.state.renew_lease_if_due()
    return any_found


def _with_only(member: Member, kind: IdentifierType, value: str) -> Member:
    values = {kind: value}
    email, phone = values.get(IdentifierType.EMAIL), values.get(IdentifierType.PHONE)
    return replace(member, profile=Profile(member.profile.id, email, phone, external_id=None))


def _member_values(member: Member) -> tuple[str | None, ...]:
    profile = member.profile
    latest_join = format_timestamp(member.joined_at + CLOCK_SKEW_TOLERANCE)
    return (
        profile.email,
        profile.phone_number,
        profile.external_id,
        profile.id,
        format_timestamp(member.joined_at),
        latest_join,
    )


def _first_values(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(str(identity) for (identity,) in rows)
