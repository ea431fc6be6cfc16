"""Parse Klaviyo's replies (JSON:API): documents, resources, errors and error pointers.

The parser accepts members and enum values that Klaviyo may add within a revision, and missing members that
the schema declares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from reverse_etl.domain.identifiers import mask_text
from reverse_etl.klaviyo.headers import to_utc

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Response

Document: TypeAlias = Mapping[str, Any]

_ROW_POINTER = re.compile(r"/data/attributes/profiles/data/(\d{1,9})(?:/(.*?))?/*", re.DOTALL)


class MalformedReply(ValueError):  # noqa: N818 - names the reply, not the error
    """A reply violates JSON:API or Klaviyo's reference. The text explains how."""


@dataclass(frozen=True)
class ApiError:
    """One member of `errors`. `pointer` is a JSON pointer into the request, the name of a parameter, or "".

    `title` and `detail` may repeat identifiers. They go into messages and the state, so that e-mails and
    phones in them are masked.
    """

    code: str
    title: str
    detail: str
    pointer: str

    @property
    def row(self) -> tuple[int, str] | None:
        """Return the row index, from 0, and field that the error points at, or None if it is not a row."""
        return parse_row_pointer(self.pointer)


def parse_row_pointer(pointer: str) -> tuple[int, str] | None:
    """Return the row index and field of a pointer, or None if it is not a row; "" is the whole row.

    >>> parse_row_pointer("/data/attributes/profiles/data/1/attributes/email")
    (1, 'email')
    >>> parse_row_pointer("/data/attributes/profiles/data/0/attributes/")
    (0, '')
    """
    match = _ROW_POINTER.fullmatch(pointer)
    if match is None:
        return None
    field = (match[2] or "").strip("/")
    return int(match[1]), "" if field == "attributes" else field.removeprefix("attributes/").strip("/")


def parse_document(response: Response) -> Document:
    """Return the JSON:API document. Raises MalformedReply for other content, such as a proxy's page."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (content_type.endswith("+json") or content_type == "application/json"):
        raise MalformedReply(f"the reply is {content_type or 'of no content type'}, not JSON:API")
    try:
        document = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise MalformedReply("the reply is not valid JSON") from None
    if not isinstance(document, dict) or not ("data" in document or "errors" in document):
        raise MalformedReply("the reply is JSON, but has neither data nor errors")
    return document


def require_data(document: Document) -> None:
    """Raise MalformedReply for the document of a success without data."""
    if "data" not in document:
        raise MalformedReply("the reply has a success status, but holds errors")


def parse_errors(response: Response) -> tuple[ApiError, ...]:
    """Return the errors of a reply, or an empty tuple if it is not JSON:API."""
    try:
        errors = parse_document(response).get("errors")
    except MalformedReply:
        return ()
    if not isinstance(errors, list):
        return ()
    return tuple(_parse_error(member) for member in errors if isinstance(member, dict))


def _parse_error(member: Mapping[str, Any]) -> ApiError:
    source = member.get("source")
    where = source if isinstance(source, dict) else {}
    pointer = where.get("pointer") or where.get("parameter")
    title, detail = (mask_text(_text(member.get(name))) for name in ("title", "detail"))
    return ApiError(_text(member.get("code")), title, detail, _text(pointer))


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


@dataclass(frozen=True)
class Resource:
    """A resource. The getters raise MalformedReply for an attribute of another type."""

    id: str
    attributes: Mapping[str, Any]

    def get_text(self, name: str) -> str | None:
        """Return a text attribute, or None if it is null or missing."""
        value = self.attributes.get(name)
        if value is None or isinstance(value, str):
            return value
        raise MalformedReply(f"{name} of {self.id} is not text")

    def find_count(self, name: str, default: int | None = None) -> int | None:
        """Return a count, `default` if it is null or missing, or None if it is not a whole number."""
        value = self.attributes.get(name)
        if value is None:
            return default
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def find_timestamp(self, name: str) -> datetime | None:
        """Return a timestamp attribute, in UTC, or None if it is missing or unreadable."""
        try:
            return self.get_timestamp(name)
        except MalformedReply:
            return None

    def get_timestamp(self, name: str) -> datetime:
        """Return a timestamp attribute, in UTC."""
        value = self.attributes.get(name)
        try:
            timestamp = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            timestamp = None
        in_utc = to_utc(timestamp) if timestamp is not None else None
        if in_utc is None:
            raise MalformedReply(f"{name} of {self.id} is not a timestamp")
        return in_utc


def parse_resource(document: Document) -> Resource:
    """Return the single resource of a document. Raises MalformedReply."""
    return _resource(document.get("data"))


def parse_resources(document: Document, *, require_ids: bool = True) -> tuple[Resource, ...]:
    """Return the resources of a page, in order. Raises MalformedReply.

    Without `require_ids`, a resource without an id has the id "", and what is not a resource is one without
    attributes: for evidence of which every member counts.
    """
    members = document.get("data")
    if not isinstance(members, list):
        raise MalformedReply("the reply's data is not a list")
    return tuple(_resource(member) if require_ids else _read_leniently(member) for member in members)


def _resource(member: object) -> Resource:
    if not isinstance(member, dict) or not isinstance(member.get("id"), str) or not member["id"]:
        raise MalformedReply("the reply has a resource without an id")
    attributes = member.get("attributes")
    return Resource(member["id"], attributes if isinstance(attributes, dict) else {})


def _read_leniently(member: object) -> Resource:
    fields = member if isinstance(member, dict) else {}
    id_, attributes = fields.get("id"), fields.get("attributes")
    return Resource(id_ if isinstance(id_, str) else "", attributes if isinstance(attributes, dict) else {})


def next_link(document: Document) -> str | None:
    """Return the URL of the next page, or None on the last page."""
    links = document.get("links")
    link = links.get("next") if isinstance(links, dict) else None
    return link if isinstance(link, str) and link else None
