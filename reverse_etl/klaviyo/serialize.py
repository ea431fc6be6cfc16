"""Encode a row of the warehouse as one profile of an import.

The attributes of a profile: API reference, 'Bulk Import Profiles'. All other columns become custom
properties. NULLs are left out: an import cannot clear a field, and does not change a missing one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import Problem
from reverse_etl.klaviyo import json_values as values
from reverse_etl.klaviyo.json_values import Converter, UnencodableValue
from reverse_etl.klaviyo.nested_values import nested_converter
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.domain.engine import Engine

MAX_BYTES: Final = 100_000  # of one encoded profile
ATTRIBUTES: Final = frozenset({"first_name", "last_name", "organization", "locale", "title", "image"})
LOCATION_TEXT_FIELDS: Final = frozenset(
    {"address1", "address2", "city", "country", "region", "zip", "timezone", "ip"}
)
LOCATION_FIELDS: Final = LOCATION_TEXT_FIELDS | {"latitude", "longitude"}
_OBJECT_FIELDS: Final = frozenset({"location", "properties"})
_LOCATION_PREFIX: Final = "location_"
_NOT_UNICODE: Final = "holds text that is not valid Unicode, or is nested too deeply"

# orjson encodes the other kinds correctly, or raises (integers, by OPT_STRICT_INTEGER).
_CONVERTERS: Final[dict[ColumnKind, Converter]] = {
    ColumnKind.DECIMAL: values.convert_decimal,
    ColumnKind.FLOAT: values.convert_float,
    ColumnKind.REAL: values.convert_real,
    ColumnKind.DATE: values.convert_date,
    ColumnKind.TIME: values.convert_time,
    ColumnKind.TIMESTAMP: values.convert_timestamp,
    ColumnKind.TIMESTAMP_TZ: values.convert_timestamp,
    ColumnKind.BINARY: values.encode_base64,
    ColumnKind.JSON: values.parse_json,
}


@dataclass(frozen=True)
class EncodingError:
    """Why a row cannot be sent. `field` is the property concerned, or "" for the whole profile."""

    field: str
    reason: str


def column_problem(name: str, column: Column, _engine: Engine) -> Problem | None:
    """Return the problem of a column whose type is not possible under this name, or None.

    `location` and `properties` must be a struct, a map, or JSON.
    """
    is_list = column.type.endswith("]") or column.type.startswith("ARRAY")
    if name not in _OBJECT_FIELDS or (
        column.kind in {ColumnKind.NESTED, ColumnKind.JSON, ColumnKind.TEXT} and not is_list
    ):
        return None
    return Problem(
        f"The column {column.name} has the type {column.type}, but must be an object.",
        hint=f"Make `{name}` a struct, a map or the text of a JSON object, or rename the column.",
    )


class ProfileEncoder:
    """Encodes the rows of one model.

    `identifiers` are the identifier types of a row, `payload` the property names of the other columns, each
    with its column. Both are in the order of the values passed to `encode`. No column may have a
    `column_problem`.
    """

    def __init__(self, identifiers: Sequence[IdentifierType], payload: Sequence[tuple[str, Column]]) -> None:
        self._payload_start = len(identifiers)
        self._payload = tuple(enumerate(payload, self._payload_start))
        self._identifiers = [
            (i, FIELD_BY_IDENTIFIER_TYPE[kind])
            for i, kind in enumerate(identifiers)
            if kind is not IdentifierType.PROFILE_ID
        ]
        self._id_index = next(
            (i for i, kind in enumerate(identifiers) if kind is IdentifierType.PROFILE_ID), None
        )
        names = [(i, name) for i, (name, _) in self._payload]
        index_by_name = {name: i for i, name in names}
        self._converters = [
            (i, converter)
            for i, (name, column) in self._payload
            if (converter := _find_converter(name, column)) is not None
        ]
        self._attributes = [(i, name) for i, name in names if name in ATTRIBUTES]
        self._location_parts = [
            (i, name.removeprefix(_LOCATION_PREFIX)) for i, name in names if _is_location_column(name)
        ]
        self._location_index = index_by_name.get("location")
        self._has_location = bool(self._location_parts) or self._location_index is not None
        self._properties_index = index_by_name.get("properties")
        self._properties = [
            (i, name)
            for i, name in names
            if name not in ATTRIBUTES | _OBJECT_FIELDS and not _is_location_column(name)
        ]

    def encode(self, row: Sequence[Any]) -> bytes | EncodingError:
        """Return the JSON of a row's profile, or why it cannot be sent. Does not raise for any value.

        `row` holds the identifiers in canonical form, None or "" if missing, and then the payload as read
        from the warehouse, with decimals possibly as text. The same row always gives the same bytes.
        """
        try:
            converted: Sequence[Any] = row
            if self._converters:
                converted = list(row)
                for i, convert in self._converters:
                    if converted[i] is not None:
                        converted[i] = convert(converted[i])
            encoded = orjson.dumps(
                self._build_profile(converted), default=_convert_unknown, option=orjson.OPT_STRICT_INTEGER
            )
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            return self._encode_by_value(row)
        return encoded if len(encoded) <= MAX_BYTES else _size_error(encoded)

    def _build_profile(self, row: Sequence[Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        for i, name in self._identifiers:
            if identifier := row[i]:
                attributes[name] = identifier
        for i, name in self._attributes:
            if row[i] is not None:
                attributes[name] = row[i]
        if self._has_location and (
            location := _merge_columns(self._location_index, self._location_parts, row)
        ):
            attributes["location"] = location
        if properties := _merge_columns(self._properties_index, self._properties, row):
            attributes["properties"] = properties
        profile: dict[str, Any] = {"type": "profile", "attributes": attributes}
        if self._id_index is not None and row[self._id_index]:
            profile["id"] = row[self._id_index]
        return profile

    def _encode_by_value(self, row: Sequence[Any]) -> bytes | EncodingError:
        """Encode a row value by value, so that an error can name its column."""
        converters = dict(self._converters)
        converted = [*row[: self._payload_start]]
        for i, (name, _) in self._payload:
            try:
                value = converters.get(i, values.to_json_value)(row[i]) if row[i] is not None else None
                converted.append(values.to_json_value(value))
                orjson.dumps(converted[-1])
            except UnencodableValue as error:
                return EncodingError(name, str(error))
            except (TypeError, ValueError, ArithmeticError, RecursionError):
                return EncodingError(name, _NOT_UNICODE)
        try:
            encoded = orjson.dumps(self._build_profile(converted))
        except TypeError:
            return EncodingError("", "has an identifier that is not valid Unicode")
        return encoded if len(encoded) <= MAX_BYTES else _size_error(encoded)


def _merge_columns(
    object_index: int | None, parts: list[tuple[int, str]], row: Sequence[Any]
) -> dict[str, Any]:
    """Return an object column merged with the columns of single parts, which win even if NULL."""
    merged: dict[str, Any] = (
        dict(row[object_index]) if object_index is not None and row[object_index] is not None else {}
    )
    for i, name in parts:  # runs for each row: a comprehension would be 50 % slower
        if row[i] is not None:
            merged[name] = row[i]
        elif name in merged:
            del merged[name]
    return merged


def _find_converter(name: str, column: Column) -> Converter | None:
    """Return the converter of a column's values, or None if orjson needs none."""
    if name in _OBJECT_FIELDS:
        return _find_object_converter(name, column)
    location_field = name.removeprefix(_LOCATION_PREFIX) if _is_location_column(name) else ""
    if name not in ATTRIBUTES and location_field not in LOCATION_TEXT_FIELDS:
        return find_value_converter(column)
    if column.kind is ColumnKind.TEXT:
        return None
    return partial(_convert_to_text, find_value_converter(column) or values.to_json_value)


def find_value_converter(column: Column) -> Converter | None:
    """Return the converter of a column's type, or None if orjson needs none."""
    if column.kind is ColumnKind.NESTED:
        return nested_converter(column.type)
    return _CONVERTERS.get(column.kind)


def _find_object_converter(name: str, column: Column) -> Converter:
    nested = find_value_converter(column) or values.to_json_value
    convert = nested if column.kind is ColumnKind.NESTED else values.parse_json
    return partial(_convert_to_location if name == "location" else _convert_to_object, convert)


def location_field(name: str) -> str:
    """Return the field of the location that a property is, "" if none: city for location_city."""
    field = name.removeprefix(_LOCATION_PREFIX)
    return field if name.startswith(_LOCATION_PREFIX) and field in LOCATION_FIELDS else ""


def _is_location_column(name: str) -> bool:
    return bool(location_field(name))


def _convert_to_text(convert: Converter, value: Any) -> str | None:
    return values.to_text(convert(value))


def _convert_to_object(convert: Converter, value: Any) -> dict[str, Any] | None:
    converted = convert(value)
    if converted is None or isinstance(converted, dict):
        return converted
    raise UnencodableValue("is not an object with names and values")


def _convert_to_location(convert: Converter, value: Any) -> dict[str, Any] | None:
    location = _convert_to_object(convert, value)
    if location is None:
        return None
    unknown_fields = sorted(location.keys() - LOCATION_FIELDS)
    if unknown_fields:
        raise UnencodableValue(f"has fields that a location does not have ({', '.join(unknown_fields)})")
    return {
        name: values.to_text(part) if name in LOCATION_TEXT_FIELDS else part
        for name, part in location.items()
    }


def _convert_unknown(value: Any) -> Any:
    """Return a value of an unknown type as one that orjson can encode."""
    return values.to_json_value(value)


def _size_error(encoded: bytes) -> EncodingError:
    return EncodingError("", f"is {len(encoded)} bytes, and Klaviyo accepts at most {MAX_BYTES}")


class ValueReader:
    """Reads the rows of one model as JSON values, NULL as None. `columns` are those of `read`, by name."""

    def __init__(self, columns: Sequence[tuple[str, Column]]) -> None:
        self._columns = [
            (name, find_value_converter(column) or values.to_json_value) for name, column in columns
        ]

    def read(self, row: Sequence[Any]) -> dict[str, Any] | EncodingError:
        """Return the values of a row by name, or why it cannot be sent. Does not raise for any value."""
        read: dict[str, Any] = {}
        for (name, convert), value in zip(self._columns, row, strict=True):
            try:
                json_value = None if value is None else values.to_json_value(convert(value))
                read[name] = orjson.loads(orjson.dumps(json_value))
            except UnencodableValue as error:
                return EncodingError(name, str(error))
            except (TypeError, ValueError, ArithmeticError, RecursionError):
                return EncodingError(name, _NOT_UNICODE)
        return read
