"""The people that the models of a state suppress, subscribed to a list, or delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.batched import batched
from reverse_etl.state.sql import deltas, snapshot
from reverse_etl.state.tables import ROWS_PER_STATEMENT
from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.store import State


def find_suppressing_models(
    state: State, identities: Sequence[str], *, except_model: str = ""
) -> Mapping[str, str]:
    """Return by identity a model of the project, selected or not, that suppresses its person."""
    models = [
        record
        for record in state.models.records().values()
        if record.name != except_model
        and (surface := find_surface(record.surface)) is not None
        and surface.suppresses_people
        and state.models.stored_tables(record)
    ]
    return state.own_suppressions.find_other_models(models, identities)


def find_own_on_list(state: State, model: str, list_id: str, identities: Sequence[str]) -> frozenset[str]:
    """Return those identities that a model subscribed itself and still has a row of on a list."""
    own = [*state.consents.read_confirmed(model, list_id, identities)]
    record = state.models.records().get(model)
    tables = state.models.load_tables(record) if own and record else None
    return frozenset(
        identity
        for part in batched(own, ROWS_PER_STATEMENT)
        if tables is not None
        for (identity,) in state.tables.fetch(snapshot.select_known(tables, part, list_id))
    )


def mark_off_list(
    state: State, list_id: str, people: Iterable[tuple[IdentifierType, str]], except_model: str
) -> None:
    """Make the rows of a list's other models uncertain: a request of this model may have removed them.

    So the next run sends them again. May be repeated.
    """
    names = {entry.model for entry in state.lists.registered() if entry.id == list_id} - {except_model}
    values_by_kind: dict[IdentifierType, list[str]] = {}
    for kind, value in sorted(people):
        values_by_kind.setdefault(kind, []).append(value)
    for record in state.models.records().values() if values_by_kind else ():
        tables = state.models.load_tables(record) if record.name in names else None
        if tables is not None:
            state.tables.commit(
                statement
                for kind, values in values_by_kind.items()
                for part in batched(values, ROWS_PER_STATEMENT)
                for statement in deltas.mark_people_uncertain(tables, list_id, kind, part)
            )


def deletes_people(record: ModelRecord) -> bool:
    """Return whether a model is one of deletions."""
    surface = find_surface(record.surface)
    return surface is not None and surface.deletes_people


def erase_deleted(state: State) -> None:
    """Delete all rows of deleted people from the state. May be repeated."""
    records = state.models.records().values()
    if not any(map(deletes_people, records)) or not state.withheld.has_deleted():
        return
    tables = {record.name: state.models.stored_tables(record) for record in records}
    snapshots = {
        record.name: name
        for record in records
        if deletes_people(record)
        for name in tables[record.name]
        if name.startswith("snapshot_")
    }
    deleted = state.withheld.find_deleted()
    state.responses.erase(lambda identity: state.withheld.digest(identity) in deleted)
    state.withheld.erase(tables, snapshots)
