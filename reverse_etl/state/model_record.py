"""A model as it was last sent, and a model that a run is about to send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.state.shared_query import SharedQuery
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.model_tables import ModelTables
    from reverse_etl.warehouse.statement import Statement

_MODEL_COLUMNS = "model, table_key, surface, identifiers, checksum, live_since, pruned_before"


@dataclass(frozen=True)
class ModelRecord:
    """A model as it was last sent. `identifiers` are the (type, column) that make its row keys, in order.

    `live_since` is the time of its first write, and the keys of events before `pruned_before` are forgotten:
    both for events alone, None otherwise.
    """

    name: str
    table_key: str
    surface: str
    identifiers: tuple[tuple[str, str], ...]
    checksum: str
    live_since: str | None = None
    pruned_before: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> ModelRecord:
        """Return the record of a stored row of _MODEL_COLUMNS."""
        name, table_key, surface, identifiers, checksum, *times = row
        pairs = tuple((kind, column) for kind, column in json.loads(identifiers))
        return cls(name, table_key, surface, pairs, checksum, *times)

    def to_row(self) -> tuple[str | None, ...]:
        """Return the row of _MODEL_COLUMNS that stores this record."""
        identifiers = json.dumps(self.identifiers)
        names = (self.name, self.table_key, self.surface)
        return (*names, identifiers, self.checksum, self.live_since, self.pruned_before)


def models_query(state_tables: StateTables) -> SharedQuery:
    """Return the query of every model that was ever sent."""
    return state_tables.in_scope_query("models", _MODEL_COLUMNS, "model")


@dataclass(frozen=True)
class ModelSubmission:
    """A model that a run is about to send: its record, its tables, and whether its row keys change.

    `previous_owners` are the ids of the lists to which another model sent before, by that model.
    `stale_list_ids` are the lists whose rows are all uncertain. `has_deferred_removals`: some removals are
    held or deferred while rows are sent. `prunes_events`: forget the keys of events before the record's
    `pruned_before`. `has_deltas`: the plan's table has rows, with numbers up to `last_seq`. `statements`
    change the snapshot besides, after the deltas are stored.
    """

    model: ModelRecord
    tables: ModelTables
    rekeyed: bool
    previous_owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stale_list_ids: Sequence[str] = ()
    has_deferred_removals: bool = False
    prunes_events: bool = False
    has_deltas: bool = True
    statements: Sequence[Statement] = ()
    last_seq: int = 0

    @property
    def writes_deltas(self) -> bool:
        """Return whether the run adds rows to the model's deltas before it sends."""
        return self.has_deltas or bool(self.stale_list_ids) or self.has_deferred_removals
