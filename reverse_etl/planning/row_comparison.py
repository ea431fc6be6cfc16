"""Chooses how a model's rows are compared with the snapshot: all of them, or those that `updated_at` shows.

With `updated_at`, a row's values are read only if the row is new, if its `updated_at` is NULL or another one
than when its values were last compared, or if an earlier run left something open about it. Only the
identifiers of all other rows are read. A full comparison finds the changes that `updated_at` hid.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl import __version__
from reverse_etl.domain.columns import ColumnKind
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import Problem
from reverse_etl.warehouse.model_tables import UPDATED_COLUMN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.columns import Column
    from reverse_etl.models.model import Model
    from reverse_etl.state import State
    from reverse_etl.state.comparisons import SettledComparison

# Each value of these kinds has one text, in every session.
_EXACT_KINDS: Final = frozenset(
    {
        ColumnKind.TEXT,
        ColumnKind.INTEGER,
        ColumnKind.DECIMAL,
        ColumnKind.DATE,
        ColumnKind.TIMESTAMP,
        ColumnKind.TIMESTAMP_TZ,
    }
)


@dataclass(frozen=True)
class RowComparison:
    """How the rows of a model with `updated_at` are compared in a run.

    `checksum` changes with the compiled SQL, the config and the types of the columns. If `is_full`, all
    values are compared, since that `is_due` or was asked for; if not, those of `compared_rows`, which are
    counted once the lists are known.
    `last_full_at` is when the last full comparison settled, and `last_full_age` how many seconds ago; None if
    it is not known.
    """

    checksum: str
    is_full: bool
    last_full_at: str | None = None
    last_full_age: float | None = None
    compared_rows: int | None = None
    is_due: bool = True


@dataclass(frozen=True)
class ComparisonChooser:
    """Chooses the comparison of each model; `records` are the last ones that settled, `now` in seconds.

    `full_comparison`: full comparisons were asked for.
    """

    state: State
    records: Mapping[str, SettledComparison]
    now: float
    full_comparison: bool = False

    def choose(self, model: Model, table_key: str, columns: Mapping[str, Column]) -> RowComparison | None:
        """Return how the rows are compared, None for a model without `updated_at`.

        `columns` are by lower-case name.
        """
        if not model.config.surface.columns.updated_at:
            return None
        checksum = compute_checksum(model, columns)
        record = self.records.get(model.name)
        if record is None:
            return RowComparison(checksum, is_full=True)
        age = self.now - parse_timestamp(record.compared_at).timestamp()
        keeps_updated_at = UPDATED_COLUMN in self.state.tables.columns(f"snapshot_{table_key}")
        is_recent = 0 <= age < model.config.full_every
        is_due = record.checksum != checksum or not (is_recent and keeps_updated_at)
        is_full = self.full_comparison or is_due
        return RowComparison(checksum, is_full, record.compared_at, age, is_due=is_due)


def compute_checksum(model: Model, columns: Mapping[str, Column]) -> str:
    """Return a hash of what decides, beside the tables, which rows and values a model has.

    It changes with this program, too: another version may check rows by other rules.
    """
    types = [[name, column.type] for name, column in columns.items()]
    return hashlib.sha256(orjson.dumps([__version__, model.checksum, model.query, types])).hexdigest()


def find_type_problem(column: Column) -> Problem | None:
    """Return why a column can't be `updated_at`."""
    if column.kind in _EXACT_KINDS:
        return None
    return Problem(
        f"The column {column.name} of updated_at is of type {column.type}.",
        hint="Select a date, a time with its date, an exact number or a text.",
    )
