"""The parts of a nested type, read from its text: `STRUCT(a FLOAT, b MAP(VARCHAR, DATE)[])`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPENING, _CLOSING, _QUOTES = "([", ")]", "\"'"


@dataclass(frozen=True)
class LeafType:
    """A type without parts."""

    name: str


@dataclass(frozen=True)
class StructType:
    """A struct with named fields."""

    fields: Mapping[str, ValueType]


@dataclass(frozen=True)
class TupleType:
    """A struct whose fields have no names, as ROW makes it."""

    members: tuple[ValueType, ...]


@dataclass(frozen=True)
class UnionType:
    """A union: a value is of one of its members."""

    members: Mapping[str, ValueType]


@dataclass(frozen=True)
class ListType:
    """A list, or an array of a fixed length."""

    member: ValueType


@dataclass(frozen=True)
class MapType:
    """A map."""

    key: ValueType
    value: ValueType


ValueType: TypeAlias = LeafType | StructType | TupleType | UnionType | ListType | MapType


def parse_type(text: str) -> ValueType:
    """Return a type by its text.

    >>> parse_type('STRUCT(a FLOAT, "b c" DECIMAL(4,1)[3])')
    StructType(fields={'a': LeafType(name='FLOAT'), 'b c': ListType(member=LeafType(name='DECIMAL(4,1)'))})
    """
    text = text.strip()
    if text.endswith("]"):
        return ListType(parse_type(text[: text.rindex("[")]))
    kind, _, rest = text.partition("(")
    parts = [*_split(rest.removesuffix(")"))]
    match kind:
        case "STRUCT" if _split_name(parts[0])[0]:
            return StructType(_parse_fields(parts))
        case "STRUCT" | "TUPLE":
            return TupleType(tuple(map(parse_type, parts)))
        case "UNION":
            return UnionType(_parse_fields(parts))
        case "MAP":
            key, value = map(parse_type, parts)
            return MapType(key, value)
        case _:
            return LeafType(text)


def _parse_fields(parts: list[str]) -> dict[str, ValueType]:
    return {name: parse_type(type_) for name, type_ in map(_split_name, parts)}


def _split_name(part: str) -> tuple[str, str]:
    """Return the name and the type of a field; the name is empty if the text is a type alone."""
    if not part.startswith('"'):
        name, _, type_ = part.partition(" ")
        return (name, type_) if type_ and "(" not in name and not type_.startswith("WITH ") else ("", part)
    end = 1  # the closing quote; a quote in the name is doubled
    while part[end] != '"' or part[end + 1 : end + 2] == '"':
        end += 2 if part[end] == '"' else 1
    return part[1:end].replace('""', '"'), part[end + 2 :]


def _split(text: str) -> Iterator[str]:
    """Yield the parts of a text between the commas outside brackets and quotes."""
    depth, quote, start = 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and not depth:
            yield text[start:position].strip()
            start = position + 1
    if text:
        yield text[start:].strip()
