"""Snowflake's types as kinds of value ("Data types" in Snowflake's SQL reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind

if TYPE_CHECKING:
    from reverse_etl.warehouse.snowflake.client import ColumnDescription

# The connector's numbers for types, the same in 4.8 and 5.x ("Type Codes" in the Python connector's API).
FIXED, REAL, TEXT, DATE, TIMESTAMP, VARIANT, TIMESTAMP_LTZ, TIMESTAMP_TZ, TIMESTAMP_NTZ = range(9)
OBJECT, ARRAY, BINARY, TIME, BOOLEAN, GEOGRAPHY, GEOMETRY, VECTOR, MAP = range(9, 18)

_SEMI_STRUCTURED = {
    VARIANT: "VARIANT",
    OBJECT: "OBJECT",
    ARRAY: "ARRAY",
    MAP: "MAP",
    GEOGRAPHY: "GEOGRAPHY",
    GEOMETRY: "GEOMETRY",
    VECTOR: "VECTOR",
}
_PLAIN = {
    REAL: (Kind.FLOAT, "FLOAT"),
    DATE: (Kind.DATE, "DATE"),
    BINARY: (Kind.BINARY, "BINARY"),
    BOOLEAN: (Kind.BOOLEAN, "BOOLEAN"),
}
_OF_A_SCALE = {
    TIME: (Kind.TIME, "TIME"),
    TIMESTAMP: (Kind.TIMESTAMP, "TIMESTAMP_NTZ"),
    TIMESTAMP_NTZ: (Kind.TIMESTAMP, "TIMESTAMP_NTZ"),
    TIMESTAMP_LTZ: (Kind.TIMESTAMP_TZ, "TIMESTAMP_LTZ"),
    TIMESTAMP_TZ: (Kind.TIMESTAMP_TZ, "TIMESTAMP_TZ"),
}
_NANOSECONDS = 9


def column(described: ColumnDescription) -> Column:
    """Return a column with its kind; texts, and what is of no known type, are kept as VARCHAR."""
    code = described.type_code
    if code == FIXED:
        return _number(described)
    if code in _SEMI_STRUCTURED:
        return Column(described.name, Kind.JSON, _SEMI_STRUCTURED[code])
    if code in _PLAIN:
        return Column(described.name, *_PLAIN[code])
    if code in _OF_A_SCALE:
        kind, type_ = _OF_A_SCALE[code]
        scale = _NANOSECONDS if described.scale is None else described.scale
        return Column(described.name, kind, f"{type_}({scale})")
    return Column(described.name, Kind.TEXT, "VARCHAR")


def _number(described: ColumnDescription) -> Column:
    if described.precision is None or described.scale is None:  # a decimal with a floating point
        return Column(described.name, Kind.DECIMAL, "DECFLOAT")
    kind = Kind.DECIMAL if described.scale else Kind.INTEGER
    return Column(described.name, kind, f"NUMBER({described.precision},{described.scale})")
