"""Keeps the rows of people whose deletion was asked for out of all other models of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.state.people import deletes_people

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.planning.stage import StagedModel
    from reverse_etl.state import ModelRecord, State
    from reverse_etl.warehouse.interface import Warehouse


def withhold_people(
    warehouse: Warehouse,
    state: State,
    staged_models: Sequence[StagedModel],
    records: Mapping[str, ModelRecord],
) -> list[StagedModel]:
    """Mark the staged rows of withheld people, and return the models.

    Withheld are the people of the state, whatever is selected, and those of the selected models of deletions,
    whether or not a guard stops them. `records` are the models of the state. Changes no persistent table.
    """
    deleting = [staged for staged in staged_models if staged.model.config.surface.deletes_people]
    if not deleting and not any(map(deletes_people, records.values())):
        return [*staged_models]
    for staged in deleting:
        warehouse.execute(state.withheld.hide_erased(staged.model.name, staged.tables))
    for statement in state.withheld.collect(staged.tables for staged in deleting):
        warehouse.execute(statement)
    others = [staged for staged in staged_models if staged not in deleting]
    for staged in others:
        for statement in state.withheld.mark_staged(staged.tables):
            warehouse.execute(statement)
    return [replace(staged, has_withheld=staged not in deleting, counts=None) for staged in staged_models]
