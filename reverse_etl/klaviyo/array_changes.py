"""Append to arrays of a profile, and remove from them, where another writer owns the rest of their values.

Whether a repeated append adds a value twice is not documented. So a request names only the values that the
profile lacks, or has, as Klaviyo's reply to a request just before shows. Source: API reference, 'Update
Profile', `meta.patch_properties`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from reverse_etl.klaviyo.messages import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.endpoints import Endpoint

_LARGEST_EXACT_FLOAT: Final = 2**53


class ArrayChange(StrEnum):
    """The effect of a column's values on the array of its name."""

    APPEND = "append"  # the array has them afterwards
    UNAPPEND = "unappend"  # the array has none of them afterwards


ArrayValues: TypeAlias = "Mapping[str, tuple[ArrayChange, list[Any]]]"


def find_patch(attributes: Mapping[str, Any], wanted: ArrayValues) -> dict[str, dict[str, list[Any]]] | None:
    """Return the patch that a profile needs, empty if none; None if a reply does not show its properties.

    Values are compared as JSON: 1 is 1.0, and the order of an object's keys does not matter. A patch has each
    value once.

    >>> find_patch({"properties": {"tags": ["a", 1.0]}}, {"tags": (ArrayChange.APPEND, ["a", "b", "b", 1])})
    {'append': {'tags': ['b']}}
    """
    properties = attributes.get("properties")
    if not isinstance(properties, dict):
        return None
    patch: dict[str, dict[str, list[Any]]] = {}
    for name, (change, values) in wanted.items():
        present = set(map(_make_json_key, to_list(properties.get(name))))
        different_values = {_make_json_key(value): value for value in values}
        is_append = change is ArrayChange.APPEND
        left = [value for key, value in different_values.items() if (key in present) is not is_append]
        if left:
            patch.setdefault(change.value, {})[name] = left
    return patch


def _make_json_key(value: Any) -> bytes:
    """Return a text that is the same for equal JSON values, however they were written."""
    return orjson.dumps(_normalize(value), option=orjson.OPT_SORT_KEYS)


def _normalize(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= _LARGEST_EXACT_FLOAT:
            return int(value)
        case dict():
            return {key: _normalize(item) for key, item in value.items()}
        case list():
            return [*map(_normalize, value)]
        case _:
            return value


def patch_request(endpoint: Endpoint, profile_id: str, patch: Mapping[str, Any]) -> Request:
    """Return the request that changes arrays of a profile by its id, which must not be repeated blindly."""
    data = {"type": "profile", "id": profile_id, "attributes": {}, "meta": {"patch_properties": patch}}
    return Request(endpoint, endpoint.path(profile_id), orjson.dumps({"data": data}), is_sent_once=True)


def to_list(value: Any) -> list[Any]:
    """Return a value as a list: one that is not a list is its only member, and None is none."""
    return value if isinstance(value, list) else [] if value is None else [value]
