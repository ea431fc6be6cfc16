"""What Klaviyo's replies say, as values: documents, resources, errors and what errors point at. Pure.

Tolerant of what may be added inside a revision (members, enum values) and of what the schema names but the
wire leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from reverse_etl.domain.identifiers import mask_text

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Response

Document: TypeAlias = Mapping[str, Any]

_ROW_POINTER = re.compile(r"/data/attributes/profiles/data/(\d{1,9})(?:/(.*?))?/*", re.DOTALL)


class MalformedReply(ValueError):  # noqa: N818 - it says of a reply what it is
    """A reply is not what JSON:API or Klaviyo's reference says; the text says in what way."""


@dataclass(frozen=True)
class ApiError:
    """One member of `errors`. `pointer` is a JSON pointer into the request, or a parameter's name, or "".

    Klaviyo repeats whom it speaks of in `title` and `detail`, which go into messages and the state: there,
    e-mails and phones are masked.
    """

    code: str
    title: str
    detail: str
    pointer: str

    @property
    def row(self) -> tuple[int, str] | None:
        """Return the row (counted from 0) and field that the error points at; None for no row."""
        return parse_row_pointer(self.pointer)


def parse_row_pointer(pointer: str) -> tuple[int, str] | None:
    """Return the index and field of an import's row, "" for the row as a whole; None for no row.

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
    """Return the reply's JSON:API document. Raises Unreadable for anything else, such as a proxy's page."""
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


def parse_errors(response: Response) -> tuple[ApiError, ...]:
    """Return the errors of a refusal, none when the reply is not JSON:API."""
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
    """One resource: its id and its attributes."""

    id: str
    attributes: Mapping[str, Any]

    def get_text(self, name: str) -> str | None:
        """Return a text attribute, None where it is null or left out."""
        value = self.attributes.get(name)
        if value is None or isinstance(value, str):
            return value
        raise MalformedReply(f"{name} of {self.id} is not text")

    def get_number(self, name: str) -> int:
        """Return a count, 0 where it is null or left out."""
        value = self.attributes.get(name)
        if value is None:
            return 0
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise MalformedReply(f"{name} of {self.id} is not a whole number")

    def get_timestamp(self, name: str) -> datetime:
        """Return a point in time, in UTC."""
        value = self.attributes.get(name)
        try:
            timestamp = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            timestamp = None
        if timestamp is None:
            raise MalformedReply(f"{name} of {self.id} is not a time")
        return timestamp.replace(tzinfo=timestamp.tzinfo or UTC).astimezone(UTC)


def parse_resource(document: Document) -> Resource:
    """Return the one resource of a document. Raises Unreadable when it has another form."""
    return _resource(document.get("data"))


def parse_resources(document: Document) -> tuple[Resource, ...]:
    """Return the resources of a page, in its order. Raises Unreadable when it has another form."""
    members = document.get("data")
    if not isinstance(members, list):
        raise MalformedReply("the reply's data is not a list")
    return tuple(_resource(member) for member in members)


def _resource(member: object) -> Resource:
    if not isinstance(member, dict) or not isinstance(member.get("id"), str) or not member["id"]:
        raise MalformedReply("the reply holds a resource without an id")
    attributes = member.get("attributes")
    return Resource(member["id"], attributes if isinstance(attributes, dict) else {})


def next_link(document: Document) -> str | None:
    """Return the address of the next page, None on the last one."""
    links = document.get("links")
    link = links.get("next") if isinstance(links, dict) else None
    return link if isinstance(link, str) and link else None


def parse_date(response: Response) -> datetime | None:
    """Return the server's time of a reply, to the second and in UTC; None without a Date header."""
    try:
        date = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
