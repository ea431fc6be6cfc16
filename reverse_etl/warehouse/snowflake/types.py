"""Maps Snowflake's types to kinds of values ("Data types" in Snowflake's SQL reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind

if TYPE_CHECKING:
    from reverse_etl.warehouse.snowflake.client import ColumnDescription

# The connector's numbers for types, the same in 4.8 and 5.x ("Type Codes" in the Python connector's API).
FIXED, REAL, TEXT, DATE, TIMESTAMP, VARIANT, TIMESTAMP_LTZ, TIMESTAMP_TZ, TIMESTAMP_NTZ = range(9)
OBJECT, ARRAY, BINARY, TIME, BOOLEAN, GEOGRAPHY, GEOMETRY, VECTOR, MAP = range(9, 18)

DECFLOAT = "DECFLOAT"  # a decimal with a floating point; the connector gives it the number of FIXED

_SEMI_STRUCTURED = {
    VARIANT: "VARIANT",
    OBJECT: "OBJECT",
    ARRAY: "ARRAY",
    MAP: "MAP",
    GEOGRAPHY: "GEOGRAPHY",
    GEOMETRY: "GEOMETRY",
    VECTOR: "VECTOR",
}
_SIMPLE_TYPES = {
    REAL: (ColumnKind.FLOAT, "FLOAT"),
    DATE: (ColumnKind.DATE, "DATE"),
    BINARY: (ColumnKind.BINARY, "BINARY"),
    BOOLEAN: (ColumnKind.BOOLEAN, "BOOLEAN"),
}
_SCALED_TYPES = {
    TIME: (ColumnKind.TIME, "TIME"),
    TIMESTAMP: (ColumnKind.TIMESTAMP, "TIMESTAMP_NTZ"),
    TIMESTAMP_NTZ: (ColumnKind.TIMESTAMP, "TIMESTAMP_NTZ"),
    TIMESTAMP_LTZ: (ColumnKind.TIMESTAMP_TZ, "TIMESTAMP_LTZ"),
    TIMESTAMP_TZ: (ColumnKind.TIMESTAMP_TZ, "TIMESTAMP_TZ"),
}
_NANOSECOND_SCALE = 9


def to_column(description: ColumnDescription) -> Column:
    """Return a column with its kind; texts and values of unknown types are stored as VARCHAR."""
    code = description.type_code
    if code == FIXED:
        return _number_column(description)
    if code in _SEMI_STRUCTURED:
        return Column(description.name, ColumnKind.JSON, _SEMI_STRUCTURED[code])
    if code in _SIMPLE_TYPES:
        return Column(description.name, *_SIMPLE_TYPES[code])
    if code in _SCALED_TYPES:
        kind, type_ = _SCALED_TYPES[code]
        scale = _NANOSECOND_SCALE if description.scale is None else description.scale
        return Column(description.name, kind, f"{type_}({scale})")
    return Column(description.name, ColumnKind.TEXT, "VARCHAR")


def _number_column(description: ColumnDescription) -> Column:
    if description.precision is None or description.scale is None:  # a decimal with a floating point
        return Column(description.name, ColumnKind.DECIMAL, DECFLOAT)
    kind = ColumnKind.DECIMAL if description.scale else ColumnKind.INTEGER
    return Column(description.name, kind, f"NUMBER({description.precision},{description.scale})")
