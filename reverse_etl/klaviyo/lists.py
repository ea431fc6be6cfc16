"""Requests that find and create lists and change their members. Source: API reference, 'Lists'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import any_of
from reverse_etl.klaviyo.messages import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.jsonapi import Resource

MAX_MEMBERS = 1_000  # per request that adds or removes members
_PAGE_SIZE = "10"  # the maximum of 'Get Lists'


@dataclass(frozen=True)
class KlaviyoList:
    """A list. `created_at` is Klaviyo's time, in UTC."""

    id: str
    name: str
    created_at: datetime


def lists_request(field: str = "", values: Sequence[str] = ()) -> Request:
    """Return the request for the first page of all lists, or of those whose name or id is one of `values`."""
    query = {"page[size]": _PAGE_SIZE, "fields[list]": "name,created"}
    if values:
        query["filter"] = any_of(field, values)
    return get_request(Endpoint.LISTS, query=query)


def list_request(list_id: str) -> Request:
    """Return the request for one list."""
    return get_request(Endpoint.LIST, list_id, query={"fields[list]": "name,created"})


def create_list_request(name: str) -> Request:
    """Return the request that creates a list. Not idempotent: a repeat creates a second list."""
    body = orjson.dumps({"data": {"type": "list", "attributes": {"name": name}}})
    return Request(Endpoint.CREATE_LIST, Endpoint.CREATE_LIST.path(), body)


def change_members_request(endpoint: Endpoint, list_id: str, profile_ids: Sequence[str]) -> Request:
    """Return the request that adds or removes profiles by id. Raises ValueError for 0 or over 1,000 ids."""
    if not 1 <= len(profile_ids) <= MAX_MEMBERS:
        raise ValueError(f"{len(profile_ids)} profiles in a request that takes 1 to {MAX_MEMBERS}")
    body = orjson.dumps({"data": [{"type": "profile", "id": profile_id} for profile_id in profile_ids]})
    return Request(endpoint, endpoint.path(list_id), body)


def parse_list(resource: Resource) -> KlaviyoList:
    """Return the list of a resource. Raises MalformedReply."""
    return KlaviyoList(resource.id, resource.get_text("name") or "", resource.get_timestamp("created"))
