"""Lists: finding, reading and creating them, and changing who is on them. (API reference, 'Lists'.) Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.klaviyo.client import asking
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import any_of
from reverse_etl.klaviyo.messages import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.jsonapi import Resource

MOST_MEMBERS = 1_000  # a request to add or remove
_PAGE = "10"  # the most that 'Get Lists' gives


@dataclass(frozen=True)
class KlaviyoList:
    """A list. `created` is Klaviyo's time, in UTC."""

    id: str
    name: str
    created: datetime


def ask_lists(name: str | None = None) -> Request:
    """Return the request for the first page of all lists, or of those called `name`."""
    query = {"page[size]": _PAGE, "fields[list]": "name,created"}
    if name is not None:
        query["filter"] = any_of("name", [name])
    return asking(Endpoint.LISTS, query=query)


def ask_list(list_id: str) -> Request:
    """Return the request for one list."""
    return asking(Endpoint.LIST, list_id, query={"fields[list]": "name,created"})


def create(name: str) -> Request:
    """Return the request that makes a list. Carried out twice it makes two."""
    body = orjson.dumps({"data": {"type": "list", "attributes": {"name": name}}})
    return Request(Endpoint.CREATE_LIST, Endpoint.CREATE_LIST.path(), body)


def change(endpoint: Endpoint, list_id: str, profile_ids: Sequence[str]) -> Request:
    """Return the request that adds (or removes) profiles by id.

    Raises ValueError for none, or for more than 1,000.
    """
    if not 1 <= len(profile_ids) <= MOST_MEMBERS:
        raise ValueError(f"{len(profile_ids)} profiles in a request that takes 1 to {MOST_MEMBERS}")
    body = orjson.dumps({"data": [{"type": "profile", "id": profile_id} for profile_id in profile_ids]})
    return Request(endpoint, endpoint.path(list_id), body)


def list_of(resource: Resource) -> KlaviyoList:
    """Return the list that a resource describes. Raises Unreadable."""
    return KlaviyoList(resource.id, resource.text("name") or "", resource.moment("created"))
