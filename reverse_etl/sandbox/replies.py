"""Replies, Klaviyo's error documents, and the exception that carries one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

JSON_API: Final = "application/vnd.api+json"

_TITLES: Final = {
    400: "Invalid input.",
    401: "Incorrect authentication credentials.",
    403: "Forbidden.",
    404: "Not found.",
    405: "Method not allowed.",
    408: "Request timed out.",
    409: "Conflict.",
    410: "Gone.",
    413: "Payload too large.",
    414: "URI too long.",
    415: "Unsupported media type.",
    421: "Misdirected request.",
    429: "Request was throttled.",
    500: "Internal server error.",
    503: "Service unavailable.",
}
_CODES: Final = {
    401: "authentication_failed",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    410: "gone",
    429: "throttled",
    500: "error",
    503: "service_unavailable",
}


@dataclass(frozen=True)
class ApiResponse:
    """A reply. `body` is sent as JSON unless `text` is given; `cut` closes the connection without a reply.

    `before_each_byte` is called before each byte of the body is sent.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | bytes | None = None
    cut: bool = False
    before_each_byte: Callable[[], None] | None = None

    def content(self) -> bytes:
        """Return the bytes of the body; none if the connection is closed without a reply."""
        if self.cut:
            return b""
        if self.text is not None:
            return self.text.encode() if isinstance(self.text, str) else self.text
        return b"" if self.body is None else orjson.dumps(self.body)


@dataclass(frozen=True)
class ErrorObject:
    """One entry of Klaviyo's error list. `pointer` points into the body, `parameter` is in the query."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    code: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def to_dict(self, status: int) -> dict[str, Any]:
        """Return the entry as JSON, with a new id."""
        source = {"pointer": self.pointer, "parameter": self.parameter}
        return {
            "id": str(uuid.uuid4()),
            "status": status,
            "code": self.code or _CODES.get(status, "invalid"),
            "title": title_of(status),
            "detail": self.detail,
            "source": {name: value for name, value in source.items() if value is not None},
            "links": self.links,
            "meta": self.meta,
        }


class HttpError(Exception):
    """A request is refused with `status`; no part of it was carried out."""

    def __init__(self, status: int, *errors: ErrorObject, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = errors
        self.headers = headers or {}

    def to_response(self) -> ApiResponse:
        """Return the refusal as a reply."""
        return ApiResponse(self.status, error_document(self.status, *self.errors), self.headers)


def title_of(status: int) -> str:
    """Return the title of a status."""
    return _TITLES.get(status, "Error.")


def error_document(status: int, *errors: ErrorObject) -> dict[str, Any]:
    """Return the body of a refusal."""
    return {"errors": [error.to_dict(status) for error in errors]}


def bad_request_error(detail: str, *, pointer: str | None = None, parameter: str | None = None) -> HttpError:
    """Return the 400 for one error in a body or a query."""
    return HttpError(400, ErrorObject(detail, pointer, parameter))


def not_found_error(kind: str, resource_id: str) -> HttpError:
    """Return the 404 for a resource that does not exist."""
    return HttpError(404, ErrorObject(f"A {kind} with id {resource_id} does not exist.", "/data/"))


def select_fields(attributes: Mapping[str, Any], fields: Collection[str] | None) -> dict[str, Any]:
    """Return the attributes that a request asks for, by default all. A field `a.b` asks for all of `a`."""
    names = None if fields is None else {field.split(".")[0] for field in fields}
    return {name: value for name, value in attributes.items() if names is None or name in names}
