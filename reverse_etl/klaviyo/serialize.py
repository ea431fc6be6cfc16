"""From a row of the warehouse to one encoded profile of an import. Pure.

Which attributes a profile has: API reference, 'Bulk Import Profiles'. Everything that is not an attribute
there is a custom property. What is NULL is left out: an import can't clear a field, and says nothing of one
that it leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import Problem
from reverse_etl.klaviyo import json_values as values
from reverse_etl.klaviyo.json_values import Converter, Unfit
from reverse_etl.klaviyo.profiles import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES: Final = 100_000  # of one profile, as sent
ATTRIBUTES: Final = frozenset({"first_name", "last_name", "organization", "locale", "title", "image"})
LOCATION_TEXTS: Final = frozenset(
    {"address1", "address2", "city", "country", "region", "zip", "timezone", "ip"}
)
LOCATION: Final = LOCATION_TEXTS | {"latitude", "longitude"}
_OBJECTS: Final = frozenset({"location", "properties"})
_PREFIX: Final = "location_"

# Kinds that are not here orjson writes right, or raises (integers, for OPT_STRICT_INTEGER).
_CONVERTERS: Final[dict[Kind, Converter]] = {
    Kind.DECIMAL: values.decimal,
    Kind.FLOAT: values.real,
    Kind.TIMESTAMP_TZ: values.instant,
    Kind.BINARY: values.base64_text,
    Kind.JSON: values.from_json,
    Kind.NESTED: values.plain,
}


@dataclass(frozen=True)
class Unrenderable:
    """A row can't be sent as it is. `field` is the property at fault, "" for the profile as a whole."""

    field: str
    reason: str


def unfit_column(name: str, column: Column) -> Problem | None:
    """Return why a column can't reach Klaviyo under this name, whatever its values; None where it can.

    A `location` or `properties` is a struct, a map, or JSON.
    """
    a_list = column.type.endswith("]") or column.type.startswith("ARRAY")
    if name not in _OBJECTS or (column.kind in {Kind.NESTED, Kind.JSON, Kind.TEXT} and not a_list):
        return None
    return Problem(
        f"The column {column.name} is of type {column.type}.",
        advice=f"`{name}` is to be a struct, a map or a JSON object as text; else rename the column.",
    )


class Renderer:
    """Renders the rows of one model.

    `identifiers` are the types of the identifiers of each row, `payload` the names under which the other
    columns reach Klaviyo, each with its column: in the order in which `encode` gets their values. None is an
    `unfit_column`.
    """

    def __init__(self, identifiers: Sequence[IdentifierType], payload: Sequence[tuple[str, Column]]) -> None:
        self._first = len(identifiers)  # of the payload
        self._payload = tuple(enumerate(payload, self._first))
        self._identifiers = [
            (i, FIELDS[kind]) for i, kind in enumerate(identifiers) if kind is not IdentifierType.PROFILE_ID
        ]
        self._id = next((i for i, kind in enumerate(identifiers) if kind is IdentifierType.PROFILE_ID), None)
        names = [(i, name) for i, (name, _) in self._payload]
        at = {name: i for i, name in names}
        self._converters = [
            (i, converter)
            for i, (name, column) in self._payload
            if (converter := _converter(name, column)) is not None
        ]
        self._attributes = [(i, name) for i, name in names if name in ATTRIBUTES]
        self._places = [(i, name.removeprefix(_PREFIX)) for i, name in names if _is_place(name)]
        self._location = at.get("location")
        self._located = bool(self._places) or self._location is not None
        self._open = at.get("properties")
        self._properties = [
            (i, name) for i, name in names if name not in ATTRIBUTES | _OBJECTS and not _is_place(name)
        ]

    def encode(self, row: Sequence[Any]) -> bytes | Unrenderable:
        """Return the JSON of the profile that a row describes, or why it can't be sent.

        Never raises for a value.

        `row` holds the identifiers in canonical form, None or "" where it has none, then the payload as the
        warehouse's client gave it, decimals perhaps as text. The same row gives the same bytes.
        """
        try:
            found: Sequence[Any] = row
            if self._converters:
                found = list(row)
                for i, convert in self._converters:
                    if found[i] is not None:
                        found[i] = convert(found[i])
            encoded = orjson.dumps(self._profile(found), default=_unknown, option=orjson.OPT_STRICT_INTEGER)
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            return self._encode_with_care(row)
        return encoded if len(encoded) <= MOST_BYTES else _too_big(encoded)

    def _profile(self, row: Sequence[Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        for i, name in self._identifiers:
            if found := row[i]:
                attributes[name] = found
        for i, name in self._attributes:
            if row[i] is not None:
                attributes[name] = row[i]
        if self._located and (location := _merged(self._location, self._places, row)):
            attributes["location"] = location
        if properties := _merged(self._open, self._properties, row):
            attributes["properties"] = properties
        profile: dict[str, Any] = {"type": "profile", "attributes": attributes}
        if self._id is not None and row[self._id]:
            profile["id"] = row[self._id]
        return profile

    def _encode_with_care(self, row: Sequence[Any]) -> bytes | Unrenderable:
        """Encode a row that is not plain sailing, value by value, so that the one at fault is named."""
        converters = dict(self._converters)
        found = [*row[: self._first]]
        for i, (name, _) in self._payload:
            try:
                value = converters.get(i, values.plain)(row[i]) if row[i] is not None else None
                found.append(values.plain(value))
                orjson.dumps(found[-1])
            except Unfit as unfit:
                return Unrenderable(name, str(unfit))
            except (TypeError, ValueError, ArithmeticError, RecursionError):
                return Unrenderable(name, "holds text that is not valid Unicode, or is nested too deeply")
        try:
            encoded = orjson.dumps(self._profile(found))
        except TypeError:
            return Unrenderable("", "has an identifier that is not valid Unicode")
        return encoded if len(encoded) <= MOST_BYTES else _too_big(encoded)


def _merged(whole: int | None, parts: list[tuple[int, str]], row: Sequence[Any]) -> dict[str, Any]:
    """Return an object with the parts that have columns of their own; these win, even as NULL."""
    found: dict[str, Any] = dict(row[whole]) if whole is not None and row[whole] is not None else {}
    for i, name in parts:  # for every row of a run: a comprehension would take half as long again
        if row[i] is not None:
            found[name] = row[i]
        elif name in found:
            del found[name]
    return found


def _converter(name: str, column: Column) -> Converter | None:
    """Return what makes a column's values right, None where orjson does."""
    if name in _OBJECTS:
        return _object_converter(name, column)
    place = name.removeprefix(_PREFIX) if _is_place(name) else ""
    if name not in ATTRIBUTES and place not in LOCATION_TEXTS:
        return _CONVERTERS.get(column.kind)
    if column.kind is Kind.TEXT:
        return None
    return partial(_as_text, _CONVERTERS.get(column.kind, values.plain))


def _object_converter(name: str, column: Column) -> Converter:
    convert = values.plain if column.kind is Kind.NESTED else values.from_json
    return partial(_location if name == "location" else _object, convert)


def _is_place(name: str) -> bool:
    return name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in LOCATION


def _as_text(convert: Converter, value: Any) -> str | None:
    return values.text(convert(value))


def _object(convert: Converter, value: Any) -> dict[str, Any] | None:
    found = convert(value)
    if found is None or isinstance(found, dict):
        return found
    raise Unfit("is not an object with names and values")


def _location(convert: Converter, value: Any) -> dict[str, Any] | None:
    found = _object(convert, value)
    if found is None:
        return None
    unknown = sorted(found.keys() - LOCATION)
    if unknown:
        raise Unfit(f"has parts that a location does not have ({', '.join(unknown)})")
    return {name: values.text(part) if name in LOCATION_TEXTS else part for name, part in found.items()}


def _unknown(value: Any) -> Any:
    """Return a value of a type that orjson does not know, for orjson to go on with."""
    return values.plain(value)


def _too_big(encoded: bytes) -> Unrenderable:
    return Unrenderable("", f"is {len(encoded)} bytes as sent, and Klaviyo takes at most {MOST_BYTES}")
