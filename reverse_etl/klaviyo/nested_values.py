"""Converts nested values to JSON values by their type: a Python float does not tell REAL from DOUBLE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reverse_etl.domain.nested_types import (
    LeafType,
    ListType,
    MapType,
    StructType,
    TupleType,
    UnionType,
    parse_type,
)
from reverse_etl.klaviyo import json_values as values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reverse_etl.domain.nested_types import ValueType
    from reverse_etl.klaviyo.json_values import Converter


def nested_converter(type_: str) -> Converter:
    """Return the converter of values of a type, by its text; NULLs inside are left out."""
    return _converter(parse_type(type_))


def _converter(type_: ValueType) -> Converter:
    match type_:
        case LeafType(name):
            return _or_none(_leaf_converter(name))
        case StructType(fields):
            return _or_none(_struct_converter(fields))
        case TupleType(members):
            return _or_none(_tuple_converter(members))
        case ListType(member):
            return _or_none(_list_converter(member))
        case MapType(key, member):
            return _or_none(_map_converter(key, member))
        case UnionType(members):
            return _or_none(_union_converter(members.values()))
        case _:
            assert_never(type_)


def _or_none(convert: Converter) -> Converter:
    return lambda value: None if value is None else convert(value)


def _leaf_converter(name: str) -> Converter:
    match name:
        case "FLOAT":
            return values.convert_real
        case "DATE":
            return values.convert_date
        case _ if name.startswith("TIMESTAMP"):
            return values.convert_timestamp
        case _:
            return values.to_json_value


def _struct_converter(fields: Mapping[str, ValueType]) -> Converter:
    converters = {name: _converter(field) for name, field in fields.items()}
    return lambda value: _without_nulls((name, converters[name](member)) for name, member in value.items())


def _tuple_converter(members: Iterable[ValueType]) -> Converter:
    converters = [*map(_converter, members)]
    return lambda value: [
        converted
        for convert, member in zip(converters, value, strict=True)
        if (converted := convert(member)) is not None
    ]


def _list_converter(member_type: ValueType) -> Converter:
    convert = _converter(member_type)
    return lambda value: [converted for member in value if (converted := convert(member)) is not None]


def _map_converter(key_type: ValueType, value_type: ValueType) -> Converter:
    """Return the converter of a map, which becomes an object.

    DuckDB's client returns a map as lists of keys and values if its keys can't be those of a dictionary.
    """
    convert_key, convert_value = _converter(key_type), _converter(value_type)
    convert_lists = _struct_converter({"key": ListType(key_type), "value": ListType(value_type)})

    def convert(value: Mapping[Any, Any]) -> dict[str, Any]:
        if not isinstance(key_type, LeafType) and value.keys() == {"key", "value"}:
            converted: dict[str, Any] = convert_lists(value)
            return converted
        return _without_nulls(
            (values.to_text(convert_key(key)) or "", convert_value(member)) for key, member in value.items()
        )

    return convert


def _union_converter(members: Iterable[ValueType]) -> Converter:
    """Return the converter of a union, whose values come without their member.

    A float is a REAL if no member is a DOUBLE.
    """
    names = {member.name for member in members if isinstance(member, LeafType)}
    is_real = "FLOAT" in names and "DOUBLE" not in names

    def convert(value: Any) -> Any:
        return (
            values.convert_real(value)
            if is_real and isinstance(value, float)
            else values.to_json_value(value)
        )

    return convert


def _without_nulls(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: member for name, member in pairs if member is not None}
