"""A state that may be older than what was sent: its removals are held, until somebody trusts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import UsageError
from reverse_etl.state.removal_holds import EVERY_LIST
from reverse_etl.state.sql import deltas
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.interface import DiffKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reverse_etl.state.removal_holds import RemovalHold
    from reverse_etl.state.store import State
    from reverse_etl.warehouse.statement import Statement


def hold_removals(state: State, holds: Mapping[str, RemovalHold]) -> None:
    """Hold the removals of lists, and let later runs send all rows of them again.

    Klaviyo may have other values by now than the state has. One transaction; what is held already is left
    alone. Rows whose requests must not be repeated are not sent again.
    """
    stored = state.removal_holds.load().holds if holds else {}
    new_holds = {list_id: hold for list_id, hold in holds.items() if list_id not in stored}
    if new_holds:
        state.tables.commit(
            (*state.removal_holds.insert(new_holds), *_mark_uncertain(state, new_holds.keys()))
        )


def _mark_uncertain(state: State, list_ids: Collection[str]) -> Iterator[Statement]:
    for record in state.models.records().values():
        surface, tables = find_surface(record.surface), state.models.load_tables(record)
        if surface is None or tables is None or surface.diff is not DiffKind.STATE or surface.upsert.once:
            continue
        applied, _ = state.models.rows_by_list(record.table_key)
        held_ids = [list_id for list_id in applied if {EVERY_LIST, list_id} & {*list_ids}]
        if held_ids:
            yield deltas.mark_uncertain(tables, held_ids)


def trust_state(state: State) -> int:
    """End all holds, and return how many there were. Hold the lease.

    The record of the last run, beside profiles.yml, names the newest run of this state from then on. Raises
    UsageError if it cannot be written: the next run would hold removals again.
    """
    held = state.removal_holds.trust()
    newest = next(reversed(state.runs.ends()), None)
    if state.last_run_file is None or not state.last_run_file.path.exists():
        return held
    try:
        if newest is None:
            state.last_run_file.path.unlink()
        else:
            state.last_run_file.write(newest)
    except OSError as error:
        raise UsageError.of(
            f"The record of the last run cannot be written: {error}.",
            where=str(state.last_run_file.path),
            hint="Let your user write to this folder, or delete the file. Then run the command again.",
        ) from error
    return held
