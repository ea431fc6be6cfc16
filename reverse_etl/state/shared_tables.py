"""Reads the small tables that all models share, which every run needs, by one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.state.model_record import models_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.state.shared_query import SharedQuery
    from reverse_etl.state.store import State


def read_shared_tables(state: State) -> None:
    """Read the tables by one statement, and keep the results until a table is written.

    Results that are kept already are not read again.
    """
    state.tables.read_together(shared_queries(state))


def shared_queries(state: State) -> Sequence[SharedQuery]:
    """Return the queries that `read_shared_tables` reads together."""
    return [
        models_query(state.tables),
        *state.runs.shared_queries,
        state.lists.shared_query,
        state.receipts.shared_query,
        state.rejections.shared_query,
        state.omissions.shared_query,
        state.removal_holds.shared_query,
        state.comparisons.shared_query,
    ]
