"""Columns as the renderer and the SQL see them.

A name, what kind of value it holds, and the warehouse's own type.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column's values are, whichever warehouse they come from."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with time zone"
    BINARY = "binary"
    JSON = "json"  # text that holds JSON
    NESTED = "nested"  # a struct, map or list of native values


@dataclass(frozen=True)
class Column:
    """A column of a staged model. `type` is the warehouse's own spelling, for CREATE TABLE."""

    name: str
    kind: ColumnKind
    type: str
