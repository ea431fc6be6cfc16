"""Requests that look up profiles and members of a list by identifier.

Source: API reference, 'Get Profiles' and 'Get Profiles for List'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import IdentifierType, canonicalize
from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import LIST_FILTERABLE, MAX_VALUES, any_of, batch_values, not_before

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.jsonapi import Resource
    from reverse_etl.klaviyo.messages import Request

FIELD_BY_IDENTIFIER_TYPE = {
    IdentifierType.EMAIL: "email",
    IdentifierType.PHONE: "phone_number",
    IdentifierType.EXTERNAL_ID: "external_id",
    IdentifierType.PROFILE_ID: "id",
}
_PAGE_SIZE = str(MAX_VALUES)  # the maximum; the default of 20 would need more pages
_IDENTIFIERS = "email,phone_number,external_id"


@dataclass(frozen=True)
class Profile:
    """A profile: its id and its identifiers in canonical form."""

    id: str
    email: str | None
    phone_number: str | None
    external_id: str | None

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


def profile_requests(kind: IdentifierType, values: Iterable[str]) -> Iterator[tuple[Request, frozenset[str]]]:
    """Yield the requests that look up `values`, each with the canonical values that it asks for.

    Each value is asked for once.
    """
    for group in batch_values(_canonical_values(kind, values)):
        query = {
            "filter": any_of(FIELD_BY_IDENTIFIER_TYPE[kind], group),
            "page[size]": _PAGE_SIZE,
            "fields[profile]": _IDENTIFIERS,
        }
        yield get_request(Endpoint.PROFILES, query=query), frozenset(group)


def member_requests(
    list_id: str, kind: IdentifierType, values: Iterable[str]
) -> Iterator[tuple[Request, frozenset[str]]]:
    """Yield the requests that look up `values` among a list's members, like `profile_requests`.

    Raises ValueError for types other than e-mail and phone, by which Klaviyo cannot filter a list.
    """
    if kind not in LIST_FILTERABLE:
        raise ValueError(f"a list's members cannot be looked up by {kind}")
    for group in batch_values(_canonical_values(kind, values)):
        query = {
            "filter": any_of(FIELD_BY_IDENTIFIER_TYPE[kind], group),
            "page[size]": _PAGE_SIZE,
            "fields[profile]": _IDENTIFIERS + ",joined_group_at",
        }
        yield get_request(Endpoint.LIST_PROFILES, list_id, query=query), frozenset(group)


def members_since_request(list_id: str, joined_at: datetime) -> Request:
    """Return the request for the members that joined at `joined_at`, rounded down to a second, or later.

    The members are ordered by the time at which they joined.
    """
    query = {
        "filter": not_before("joined_group_at", joined_at),
        "sort": "joined_group_at",
        "page[size]": _PAGE_SIZE,
        "fields[profile]": _IDENTIFIERS + ",joined_group_at",
    }
    return get_request(Endpoint.LIST_PROFILES, list_id, query=query)


def _canonical_values(kind: IdentifierType, values: Iterable[str]) -> Sequence[str]:
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


def is_requested(profile: Profile, kind: IdentifierType, requested: Collection[str]) -> bool:
    """Return whether a profile was asked for; a proxy or Klaviyo may have ignored the filter."""
    return profile.identifier(kind) in requested
