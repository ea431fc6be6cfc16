"""Requests that look up profiles and members of a list by identifier.

Source: API reference, 'Get Profiles' and 'Get Profiles for List'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType, canonicalize
from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import LIST_FILTERABLE, MAX_VALUES, any_of, not_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.jsonapi import Resource
    from reverse_etl.klaviyo.messages import Request

FIELD_BY_IDENTIFIER_TYPE = {
    IdentifierType.EMAIL: "email",
    IdentifierType.PHONE: "phone_number",
    IdentifierType.EXTERNAL_ID: "external_id",
    IdentifierType.PROFILE_ID: "id",
}
PAGE_SIZE = str(MAX_VALUES)  # the maximum; the default of 20 would need more pages
_IDENTIFIERS = "email,phone_number,external_id"


@dataclass(frozen=True)
class Profile:
    """A profile: its id and its identifiers in canonical form.

    `other_identifiers` are those by which Klaviyo found it, although its own of that type is another one: a
    profile may have several e-mail addresses, and shows one.
    """

    id: str
    email: str | None
    phone_number: str | None
    external_id: str | None
    other_identifiers: frozenset[tuple[IdentifierType, str]] = frozenset()

    def identifiers(self, kind: IdentifierType) -> frozenset[str]:
        """Return all known identifiers of a type."""
        own = self.identifier(kind)
        others = (value for other_kind, value in self.other_identifiers if other_kind == kind)
        return frozenset([*([own] if own is not None else []), *others])

    def identifier(self, kind: IdentifierType) -> str | None:
        """Return the profile's identifier of a type."""
        match kind:
            case IdentifierType.EMAIL:
                return self.email
            case IdentifierType.PHONE:
                return self.phone_number
            case IdentifierType.EXTERNAL_ID:
                return self.external_id
            case IdentifierType.PROFILE_ID:
                return self.id


@dataclass(frozen=True)
class Member:
    """A profile on a list. `joined_at` is Klaviyo's time, in UTC."""

    profile: Profile
    joined_at: datetime


def profile_request(kind: IdentifierType, values: Sequence[str]) -> Request:
    """Return the request that looks up profiles by identifiers, as many as fit into one filter."""
    query = {
        "filter": any_of(FIELD_BY_IDENTIFIER_TYPE[kind], values),
        "page[size]": PAGE_SIZE,
        "fields[profile]": _IDENTIFIERS,
    }
    return get_request(Endpoint.PROFILES, query=query)


def member_request(list_id: str, kind: IdentifierType, values: Sequence[str]) -> Request:
    """Return the request that looks up identifiers among a list's members, like `profile_request`.

    Raises ValueError for types other than e-mail and phone, by which Klaviyo cannot filter a list.
    """
    if kind not in LIST_FILTERABLE:
        raise ValueError(f"a list's members cannot be looked up by {kind}")
    query = {
        "filter": any_of(FIELD_BY_IDENTIFIER_TYPE[kind], values),
        "page[size]": PAGE_SIZE,
        "fields[profile]": _IDENTIFIERS + ",joined_group_at",
    }
    return get_request(Endpoint.LIST_PROFILES, list_id, query=query)


def members_since_request(list_id: str, joined_at: datetime) -> Request:
    """Return the request for the members that joined at `joined_at`, rounded down to a second, or later.

    The members are ordered by the time at which they joined.
    """
    query = {
        "filter": not_before("joined_group_at", joined_at),
        "sort": "joined_group_at",
        "page[size]": PAGE_SIZE,
        "fields[profile]": _IDENTIFIERS + ",joined_group_at",
    }
    return get_request(Endpoint.LIST_PROFILES, list_id, query=query)


def any_member_request(list_id: str) -> Request:
    """Return the request for any one member of a list."""
    query = {"page[size]": "1", "fields[profile]": "joined_group_at"}
    return get_request(Endpoint.LIST_PROFILES, list_id, query=query)


def canonical_values(kind: IdentifierType, values: Iterable[str]) -> Sequence[str]:
    """Return identifiers in canonical form, each once."""
    canonical_values = (canonicalize(kind, value) for value in values)
    return list(dict.fromkeys(value for value in canonical_values if value is not None))


def parse_profile(resource: Resource) -> Profile:
    """Return the profile of a resource. Raises MalformedReply."""
    return Profile(
        resource.id,
        canonicalize(IdentifierType.EMAIL, resource.get_text("email")),
        canonicalize(IdentifierType.PHONE, resource.get_text("phone_number")),
        canonicalize(IdentifierType.EXTERNAL_ID, resource.get_text("external_id")),
    )


def parse_member(resource: Resource) -> Member:
    """Return the member of a list's resource. Raises MalformedReply."""
    return Member(parse_profile(resource), resource.get_timestamp("joined_group_at"))
