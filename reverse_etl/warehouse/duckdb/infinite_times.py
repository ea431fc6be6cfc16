"""Finds infinite dates and times, also in nested values: the client returns the last day it knows instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reverse_etl.domain.nested_types import (
    LeafType,
    ListType,
    MapType,
    StructType,
    TupleType,
    UnionType,
    parse_type,
)
from reverse_etl.warehouse.statement import quote_literal

if TYPE_CHECKING:
    from reverse_etl.domain.nested_types import ValueType


def is_infinite_time_sql(value: str, type_: str) -> str | None:
    """Return whether a value is or contains an infinite date or time; None if its type has none."""
    return _condition(value, parse_type(type_), 0)


def _condition(value: str, type_: ValueType, depth: int) -> str | None:
    match type_:
        case LeafType(name):
            return _leaf_condition(value, name)
        case StructType(fields):
            members = {
                f"STRUCT_EXTRACT({value}, {quote_literal(name)})": field for name, field in fields.items()
            }
        case TupleType(types):
            members = {
                f"STRUCT_EXTRACT_AT({value}, {number})": member
                for number, member in enumerate(types, start=1)
            }
        case UnionType(types):
            members = {
                f"UNION_EXTRACT({value}, {quote_literal(tag)})": member for tag, member in types.items()
            }
        case MapType(key, member):
            members = {f"MAP_KEYS({value})": ListType(key), f"MAP_VALUES({value})": ListType(member)}
        case ListType(member):
            condition = _condition(f"retl_{depth}", member, depth + 1)
            return condition and f"LEN(LIST_FILTER({value}, LAMBDA retl_{depth}: {condition})) > 0"
        case _:
            assert_never(type_)
    conditions = [_condition(member, member_type, depth) for member, member_type in members.items()]
    return " OR ".join(f"({condition})" for condition in conditions if condition) or None


def _leaf_condition(value: str, type_: str) -> str | None:
    if type_ != "DATE" and not type_.startswith("TIMESTAMP"):
        return None
    infinities = (f"CAST('{text}' AS {type_})" for text in ("infinity", "-infinity"))
    return f"{value} IN ({', '.join(infinities)})"
