"""Rows that a user lets the next run send again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.sql import deltas
from reverse_etl.warehouse.model_tables import ModelTables

if TYPE_CHECKING:
    from reverse_etl.state.store import State
    from reverse_etl.surfaces.interface import Surface


def retry_rejected(state: State, model: str, surface: Surface) -> int:
    """Let the next run send the rows of a model that Klaviyo refused; return how many.

    A row whose request may be repeated is sent although it equals what was applied before.
    """
    table_key = state.models.table_keys([model])[model]
    if state.models.load_payload(table_key) is None:
        return 0
    payload = state.models.load_common_payload(table_key)
    tables = ModelTables(state.tables.dialect, table_key, (), payload, many_lists=True)
    return state.rejections.clear_klaviyo_rejections(model, tables, resend=not surface.upsert.once)


def retry_unknown(state: State, model: str, surface: Surface) -> int:
    """Forget that a model's uncertain rows may have been sent; return how many.

    Others than those whose request must not be repeated are sent again anyway.
    """
    table_key = state.models.table_keys([model])[model]
    if not surface.once or state.models.load_payload(table_key) is None:
        return 0
    tables = ModelTables(state.tables.dialect, table_key, (), (), many_lists=True)
    ((rows,),) = state.tables.fetch(deltas.count_uncertain(tables))
    state.tables.execute(deltas.delete_uncertain_upserts(tables), deltas.repeat_uncertain_removes(tables))
    return int(rows)
