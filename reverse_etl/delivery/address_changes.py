"""Find the profiles that are about to get another e-mail or phone, and keep the members that they are.

A model with ids gives a profile a new address. A list of addresses alone, without ids, would afterwards not
find its member by the old address, and would not know that it added the member with the new one. If the old
address is desired still, by now it may be of somebody else, who is not on the list. See `keep_members`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.lookups import Lookups
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType
from reverse_etl.domain.progress import Warned
from reverse_etl.errors import FailureReason, KlaviyoError
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.filters import LIST_FILTERABLE
from reverse_etl.models.model import Model
from reverse_etl.state.address_changes import AddressChange, is_known_by_address, keep_members
from reverse_etl.surfaces.interface import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.delivery.pending_rows import SentRow
    from reverse_etl.klaviyo.profiles import Profile
    from reverse_etl.state import ModelRecord

_READ_ROWS: Final = 10_000


def prepare_address_changes(delivery: ListDelivery) -> None:
    """Keep the members of other models whose address the upserts of this list change. Call it before these.

    Nothing is asked unless the list's rows have ids, and another model's have none. If Klaviyo can't be
    asked, the list stops.
    """
    id_types = [kind for kind in delivery.model_plan.tables.identifiers if kind in UNIQUE_IDENTIFIERS]
    models = _find_models_of_addresses(delivery.context) if id_types and not delivery.counter.stopped else {}
    if not models:
        return
    lookups = Lookups(delivery.context, delivery.list_id, delivery.refusals)
    for rows in delivery.pending_rows.read_possible_renames(delivery.list_id, _READ_ROWS):
        try:
            changes = find_address_changes(rows, id_types, lookups)
        except KlaviyoError as error:
            delivery.counter.fail(FailureReason.of(error))
            return
        _keep_members(delivery.context, models, changes)


def find_address_changes(
    rows: Sequence[SentRow], id_types: Sequence[IdentifierType], lookups: Lookups
) -> list[AddressChange]:
    """Return the addresses that profiles have now and lose, if the rows with their ids are applied.

    Sends only GETs. An address whose row turns out not to change the profile does no harm here.
    """
    changes: list[AddressChange] = []
    for kind in id_types:
        rows_by_id: dict[str, list[SentRow]] = defaultdict(list)
        for row in rows:
            if (value := row.identifiers[kind]) is not None and _has_contact(row):
                rows_by_id[value].append(row)
        for profile in lookups.find_profiles(kind, [*rows_by_id]):
            for value in profile.identifiers(kind):
                changes += [
                    change for row in rows_by_id.get(value, ()) for change in _find_changes(row, profile)
                ]
    return changes


def _has_contact(row: SentRow) -> bool:
    return any(row.identifiers[kind] is not None for kind in LIST_FILTERABLE)


def _find_changes(row: SentRow, profile: Profile) -> list[AddressChange]:
    return [
        AddressChange(f"{kind}:{current}", profile.id)
        for kind in LIST_FILTERABLE
        if (current := profile.identifier(kind)) is not None and row.identifiers[kind] not in {None, current}
    ]


def _find_models_of_addresses(context: DeliveryContext) -> Mapping[str, tuple[ModelRecord, bool]]:
    """Return the models that were sent before without ids, by name, and whether each has members.

    Selected or not: what a later run finds of their rows depends on this one.
    """
    records = context.state.models.records()
    return {
        model.name: (records[model.name], model.owns_members)
        for model in context.project_models
        if isinstance(model, Model)
        and model.name in records
        and model.config.surface.phase is Phase.PEOPLE
        and is_known_by_address(records[model.name])
    }


def _keep_members(
    context: DeliveryContext,
    models: Mapping[str, tuple[ModelRecord, bool]],
    changes: Sequence[AddressChange],
) -> None:
    for name, (record, has_members) in models.items() if changes else ():
        context.state.renew_lease_if_due()
        waiting = keep_members(context.state, record, context.run_id, changes, has_members=has_members)
        if waiting:
            context.on_progress(Warned(f"{name}: {_describe_waiting(waiting)}"))


def _describe_waiting(rows: int) -> str:
    have = "has" if rows == 1 else "have"
    return (
        f"{format_count(rows, 'row')} {have} an address that its profile loses in this run. "
        "Somebody else who has it now is missing until the next run, which sends what is still desired."
    )
