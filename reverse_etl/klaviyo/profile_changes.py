"""Change single profiles. Unlike a bulk import, these requests can clear values: a null in one does.

Source: API reference, 'Update Profile' and 'Create or Update Profile'; guide 'Bulk Import Profiles'. Both
requests reply with the profile as it is afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.errors import CONTENT_REFUSALS, refusal_error
from reverse_etl.klaviyo.imports import RowError, make_row_error
from reverse_etl.klaviyo.jsonapi import parse_document, parse_errors, parse_resource
from reverse_etl.klaviyo.messages import Request
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE
from reverse_etl.klaviyo.serialize import ATTRIBUTES, location_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.klaviyo.endpoints import Endpoint
    from reverse_etl.klaviyo.messages import Response

_NEVER_CLEARED: Final = frozenset({*FIELD_BY_IDENTIFIER_TYPE.values(), "properties"})


@dataclass(frozen=True)
class ProfileChanged:
    """Klaviyo changed or created the profile, and replied with its id and its attributes."""

    profile_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class ProfileRefused:
    """Klaviyo refused to change the profile."""

    status: int
    error: RowError


ProfileReply: TypeAlias = ProfileChanged | ProfileRefused


def is_clearable(name: str) -> bool:
    """Return whether a property can be cleared by its name.

    No identifier is: a profile may lose its last one. `properties` holds others by their own names.
    """
    return name not in _NEVER_CLEARED


def is_custom_property(name: str) -> bool:
    """Return whether a property is a custom one, and not an attribute or a part of the location."""
    return is_clearable(name) and name not in ATTRIBUTES and name != "location" and not location_field(name)


def same_value_names(name: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return those of the other properties that may write the value that `name` names."""
    is_location = name == "location" or location_field(name)
    return tuple(
        other
        for other in others
        if other == name
        or (other == "location" and is_location)
        or (name == "location" and location_field(other))
        or (other == "properties" and not is_location and name not in ATTRIBUTES)
    )


def null_attributes(names: Iterable[str]) -> dict[str, Any]:
    """Return the attributes of a request that clears these properties.

    >>> null_attributes(["title", "location_city", "tier"])
    {'title': None, 'location': {'city': None}, 'properties': {'tier': None}}
    """
    attributes: dict[str, Any] = {}
    for name in names:
        if name in ATTRIBUTES or name == "location":
            attributes[name] = None
        elif part := location_field(name):
            attributes.setdefault("location", {})[part] = None
        else:
            attributes.setdefault("properties", {})[name] = None
    return attributes


def find_uncleared(attributes: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the properties that a reply does not prove cleared.

    A reply without them proves nothing.
    """
    return tuple(name for name in names if not _is_cleared(attributes, name))


def change_request(
    endpoint: Endpoint, profile_id: str, attributes: Mapping[str, Any], unset: Sequence[str] = ()
) -> Request:
    """Return the request that changes attributes of a profile by its id, and leaves all others.

    The custom properties `unset` go with their names.
    """
    data = {"type": "profile", "id": profile_id, "attributes": attributes} | _unset(unset)
    return Request(endpoint, endpoint.path(profile_id), orjson.dumps({"data": data}))


def create_request(endpoint: Endpoint, attributes: Mapping[str, Any], profile_id: str = "") -> Request:
    """Return the request that creates a profile, or changes the one that has the identifiers."""
    data = {"type": "profile", "attributes": attributes} | ({"id": profile_id} if profile_id else {})
    return Request(endpoint, endpoint.path(), orjson.dumps({"data": data}))


def update_request(
    endpoint: Endpoint, profile_id: str, names: Iterable[str], unset: Sequence[str] = ()
) -> Request:
    """Return the request that clears properties of a profile by its id; those in `unset` go altogether."""
    return change_request(endpoint, profile_id, _null_others(names, unset), unset)


def import_request(
    endpoint: Endpoint, kind: IdentifierType, value: str, names: Iterable[str], unset: Sequence[str] = ()
) -> Request:
    """Return the request that clears properties of the profile with an identifier."""
    attributes = _null_others(names, unset)
    profile: dict[str, Any] = {"type": "profile"}
    if kind is IdentifierType.PROFILE_ID:
        profile["id"] = value
    else:
        attributes = {FIELD_BY_IDENTIFIER_TYPE[kind]: value} | attributes
    document = {"data": profile | {"attributes": attributes} | _unset(unset)}
    return Request(endpoint, endpoint.path(), orjson.dumps(document))


def _null_others(names: Iterable[str], unset: Sequence[str]) -> dict[str, Any]:
    return null_attributes(name for name in names if name not in unset)


def _unset(names: Sequence[str]) -> dict[str, Any]:
    return {"meta": {"patch_properties": {"unset": [*names]}}} if names else {}


def parse_reply(request: Request, response: Response) -> ProfileReply:
    """Return the meaning of a reply.

    Raises KlaviyoError for a refusal that is not of the content, and MalformedReply.
    """
    if request.endpoint.is_success(response.status):
        profile = parse_resource(parse_document(response))
        return ProfileChanged(profile.id, profile.attributes)
    errors = parse_errors(response) if response.status in CONTENT_REFUSALS else ()
    if not errors:
        raise refusal_error(request, response)
    first = errors[0]
    field = first.pointer.rstrip("/").rpartition("/")[2]
    return ProfileRefused(
        response.status,
        make_row_error(
            first.code, "" if field in {"data", "attributes"} else field, first.detail or first.title
        ),
    )


def _is_cleared(attributes: Mapping[str, Any], name: str) -> bool:
    part = location_field(name)
    holder = "location" if part else name if name in ATTRIBUTES or name == "location" else "properties"
    if holder not in attributes:
        return False
    value = attributes[holder]
    if holder == name or value is None:
        return not _has_value(value)
    return isinstance(value, dict) and not _has_value(value.get(part or name))


def _has_value(value: Any) -> bool:
    """Return whether a value is more than null; Klaviyo may reply with an empty location as one of nulls."""
    return any(map(_has_value, value.values())) if isinstance(value, dict) else value is not None
