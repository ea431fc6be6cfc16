"""A model as it was last sent, and as a run sets out to send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass(frozen=True)
class ModelRecord:
    """A model as it was last sent. `identifiers` are the (type, column) that make its row keys, in order."""

    name: str
    table_key: str
    surface: str
    identifiers: tuple[tuple[str, str], ...]
    checksum: str


@dataclass(frozen=True)
class ModelSubmission:
    """A model of a run that is about to send: what is noted of it, its shape, whether it is keyed anew.

    `previous_owners` are the ids of the lists to which another model sent before, by that model;
    `stale_list_ids` those of all lists of which the model's memory is in doubt. `has_deferred_removals`:
    removals are held, or wait behind a limit, while rows are sent.
    """

    model: ModelRecord
    tables: ModelTables
    rekeyed: bool
    previous_owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stale_list_ids: Sequence[str] = ()
    has_deferred_removals: bool = False
