"""Columns of a staged model, as the serializer and the SQL see them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """The kind of a column's values, the same for all warehouses."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    REAL = "real"  # a float of 32 bits, whose digits are fewer
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with time zone"
    BINARY = "binary"
    JSON = "json"  # text with a JSON document
    NESTED = "nested"  # a struct, map or list of native values


@dataclass(frozen=True)
class Column:
    """A column of a staged model. `type` is the warehouse's name of the type, for CREATE TABLE."""

    name: str
    kind: ColumnKind
    type: str
