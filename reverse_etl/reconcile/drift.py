"""Compares what Klaviyo shows, such as the members of a list, with the rows that were applied."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.progress import ListRead, Warned
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE, format_timestamp
from reverse_etl.errors import WarehouseError
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.reconcile.readers import create_reader
from reverse_etl.state.sql import members, schema
from reverse_etl.surfaces.read_back import ReadBack, ReadConsents, ReadMembers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.klaviyo.profiles import Profile
    from reverse_etl.reconcile.readers import Reader, ShownPerson
    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.model_tables import ModelTables

SAMPLE_SIZE: Final = 3  # identities shown per kind of difference
_CONTACTS_PER_LOOKUP: Final = 5_000


@dataclass(frozen=True)
class OwnedList:
    """A list that a model owns, and the model's state tables.

    `list_id` and `list_name` are '' for a model without a list. `scope_key` is that of the state.
    """

    model: str
    tables: ModelTables
    list_id: str
    list_name: str
    scope_key: tuple[str, str]
    read_back: ReadBack

    @property
    def comparison(self) -> members.ListComparison:
        """Return the tables in which its members are compared with its rows."""
        is_consent = isinstance(self.read_back, ReadConsents)
        return members.ListComparison(
            self.tables, self.list_id, (*self.scope_key, self.model) if is_consent else None
        )


@dataclass(frozen=True)
class ListDifference:
    """How a list, or what a model without one did, differs from the applied rows, in counts and samples.

    `applied` rows are in the snapshot, and `missing` is how many of them match none of the `members`.
    `uncertain` rows may or may not be applied. `unmanaged` are members that match no row; the person of
    `removals_not_found` removals was not found then, and is a member now. `already_members` rows match a
    member who joined before reverse-etl first sent the row, so that no run removes them. `several_members`
    rows match two members or more: Klaviyo has their person twice; the sample has the ids of these profiles
    by identity. `deleted` says that Klaviyo no longer has the list; all counts are 0 then.

    For suppressions and consents, `members` are the people that Klaviyo shows as a row asks for, and
    `read_back` has the words for it. `opted_out` rows are neither missing nor among them, and neither are
    `unconfirmed` rows, whose consent Klaviyo never showed. Nobody can be adopted, so that `unmanaged` has no
    sample.
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
    opted_out: int = 0
    unconfirmed: int = 0
    several_members: int = 0
    several_members_sample: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read_back: ReadBack = field(default_factory=ReadMembers)

    @property
    def label(self) -> str:
        """Return the list's name, or what its people are in Klaviyo for a model without a list."""
        return self.list_name or f"({self.read_back.words})"


@contextmanager
def compare_list(context: DeliveryContext, owned_list: OwnedList) -> Iterator[ListDifference]:
    """Read a list and yield how it differs; inside the context, temporary tables hold the matches.

    Sends only GETs. Raises KlaviyoError and WarehouseError.
    """
    if owned_list.list_id and context.klaviyo.get_list(owned_list.list_id) is None:
        yield _describe(owned_list, deleted=True)
        return
    for omitted in context.state.omissions.by_list().get((owned_list.model, owned_list.list_id), ()):
        context.on_progress(Warned(omitted.describe(owned_list.list_name)))
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
    reader = create_reader(context, owned_list.read_back, owned_list.list_id)
    warehouse.set_query_tag(run=context.run_id, model=owned_list.model)
    warehouse.execute(members.create_members(comparison))
    _insert(context, comparison, _read_people(context, reader))
    _match(context, comparison)
    if _add_people_of_rows(context, comparison, reader):
        _match(context, comparison)
    (counts,) = warehouse.fetch(members.select_comparison_counts(comparison))
    figures = dict(zip(members.COMPARISON_COUNTS, counts, strict=True))
    difference = _describe(
        owned_list,
        **figures,
        missing_sample=_first_values(warehouse.fetch(members.select_missing_sample(comparison, SAMPLE_SIZE))),
    )
    context.on_progress(ListRead(owned_list.model, owned_list.list_name, difference.members))
    if not isinstance(owned_list.read_back, ReadMembers):
        return replace(difference, already_members=0, several_members=0)
    removals_not_found = _first_values(
        warehouse.fetch(
            members.select_unmatched_but_present(comparison, context.state.scope.key, owned_list.model)
        )
    )
    return replace(
        difference,
        removals_not_found=len(removals_not_found),
        unmanaged_sample=_first_values(
            warehouse.fetch(members.select_unmanaged_sample(comparison, SAMPLE_SIZE))
        ),
        removals_not_found_sample=removals_not_found[:SAMPLE_SIZE],
        several_members_sample=_read_several_members(context, comparison)
        if difference.several_members
        else {},
    )


def _read_several_members(
    context: DeliveryContext, comparison: members.ListComparison
) -> dict[str, tuple[str, ...]]:
    """Return the first rows that have several members, with the ids of these."""
    rows = context.warehouse.fetch(members.select_several_members_sample(comparison, SAMPLE_SIZE))
    return {
        identity: tuple(profile_id for _, profile_id in group)
        for identity, group in groupby(rows, key=itemgetter(0))
    }


def _read_people(context: DeliveryContext, reader: Reader) -> Iterator[ShownPerson]:
    for group in reader.read_all():
        yield from group
        context.state.renew_lease_if_due()  # reading a long list may outlast the lease


def _describe(owned_list: OwnedList, **figures: Any) -> ListDifference:
    names = (owned_list.model, owned_list.list_id, owned_list.list_name)
    return ListDifference(*names, read_back=owned_list.read_back, **figures)


def _match(context: DeliveryContext, comparison: members.ListComparison) -> None:
    for statement in members.compare_members(comparison):
        context.warehouse.execute(statement)


def _add_people_of_rows(context: DeliveryContext, comparison: members.ListComparison, reader: Reader) -> bool:
    """Look up the rows that match nobody by their e-mail and phone; return whether that found somebody.

    These people are inserted, some of them once more, with the identifier by which Klaviyo found them.
    """
    any_found = False
    for contacts in context.warehouse.stream(
        members.select_unmatched_contacts(comparison), _CONTACTS_PER_LOOKUP
    ):
        for kind, column in zip(LIST_FILTERABLE, zip(*contacts, strict=True), strict=True):
            values = list(dict.fromkeys(value for value in column if value is not None))
            people = list(reader.look_up(kind, values))
            any_found = any_found or bool(people)
            _insert(context, comparison, people)
        context.state.renew_lease_if_due()
    return any_found


def _insert(
    context: DeliveryContext, comparison: members.ListComparison, people: Iterable[ShownPerson]
) -> None:
    for statement in members.insert_members(comparison, (_member_values(*person) for person in people)):
        context.warehouse.execute(statement)


def _member_values(profile: Profile, since: datetime | None) -> tuple[str | None, ...]:
    return (
        profile.email,
        profile.phone_number,
        profile.external_id,
        profile.id,
        format_timestamp(since) if since else None,
        format_timestamp(since + CLOCK_SKEW_TOLERANCE) if since else None,
    )


def _first_values(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(str(identity) for (identity,) in rows)
