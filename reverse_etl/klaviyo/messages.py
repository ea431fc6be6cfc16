"""The nouns of the wire: a request, and the two things that can come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reverse_etl.klaviyo.endpoints import Endpoint


@dataclass(frozen=True)
class Request:
    """A request to `endpoint`.

    `target` is the path with its query, encoded; the query may hold people's identifiers.
    """

    endpoint: Endpoint
    target: str
    body: bytes | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """Return the path without its query: fit for logs."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.endpoint.method} {self.path}"


@dataclass(frozen=True)
class Response:
    """A reply as it came. Header names are lower-case.

    `earlier_reply_lost`: an earlier try of the same write got no clear reply.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    earlier_reply_lost: bool = False


class TransportError(StrEnum):
    """Why no reply came. The value is said to people."""

    UNREACHABLE = "no connection could be made"
    CONNECTION_REFUSED = "nothing listens there"  # at an address of this machine
    CERTIFICATE_UNVERIFIED = "the server's certificate could not be verified"
    INVALID_REQUEST = "the request could not be put together"
    TIMED_OUT = "no reply came in time"
    CONNECTION_LOST = "the connection was cut"

    @property
    def outcome_unknown(self) -> bool:
        """Return whether the request may have been carried out all the same."""
        return self in (TransportError.TIMED_OUT, TransportError.CONNECTION_LOST)

    @property
    def retryable(self) -> bool:
        """Return whether the next try may fare better."""
        return self not in (TransportError.CERTIFICATE_UNVERIFIED, TransportError.INVALID_REQUEST)


TransportResult: TypeAlias = Response | TransportError


@dataclass(frozen=True)
class RequestLogEntry:
    """One finished try, for logs: no header, no body, no query.

    `status` is None when a `error` came instead of a reply.
    """

    method: str
    path: str
    status: int | None
    error: str
    seconds: float
    attempt: int


RequestHook: TypeAlias = Callable[[RequestLogEntry], None]
