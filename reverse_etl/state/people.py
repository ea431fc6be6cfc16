"""The people that the models of a state suppress, and those that they delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.store import State


def find_suppressing_models(
    state: State, identities: Sequence[str], *, except_model: str = ""
) -> Mapping[str, str]:
    """Return by identity a model of the project, selected or not, that suppresses its person."""
    models = [
        record
        for record in state.models().values()
        if record.name != except_model
        and (surface := find_surface(record.surface)) is not None
        and surface.suppresses_people
        and state.stored_tables(record)
    ]
    return state.own_suppressions.find_other_models(models, identities)


def deletes_people(record: ModelRecord) -> bool:
    """Return whether a model is one of deletions."""
    surface = find_surface(record.surface)
    return surface is not None and surface.deletes_people


def erase_deleted(state: State) -> None:
    """Delete all rows of deleted people from the state. May be repeated."""
    records = state.models().values()
    if not any(map(deletes_people, records)) or not state.withheld.has_deleted():
        return
    tables = [(record, name) for record in records for name in state.stored_tables(record)]
    snapshots = {
        record.name: name
        for record, name in tables
        if deletes_people(record) and name.startswith("snapshot_")
    }
    deleted = state.withheld.find_deleted()
    state.responses.erase(lambda identity: state.withheld.digest(identity) in deleted)
    state.withheld.erase([name for _, name in tables], snapshots)
