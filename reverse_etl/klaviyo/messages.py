"""HTTP messages: a request, its response or transport error, and the log entry of an attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from reverse_etl.klaviyo.endpoints import CustomEndpoint

if TYPE_CHECKING:
    from reverse_etl.klaviyo.endpoints import AnyEndpoint


@dataclass(frozen=True)
class Request:
    """A request. `target` is the encoded path with its query, which may contain people's identifiers.

    `headers` are sent beside those of every request. After a lost reply it is not sent again if its endpoint
    is not idempotent, or `is_sent_once`.
    """

    endpoint: AnyEndpoint
    target: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_sent_once: bool = False

    @property
    def path(self) -> str:
        """Return the path as shown in logs: without its query, and without a row's values."""
        if isinstance(self.endpoint, CustomEndpoint):
            return self.endpoint.template
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.endpoint.method} {self.path}"


@dataclass(frozen=True)
class Response:
    """A reply. Header names are lower-case.

    `earlier_reply_lost` is whether an earlier attempt of the same write got no conclusive reply. `sent_at` is
    the monotonic time at which the request was sent, after it had waited for its quota.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    earlier_reply_lost: bool = False
    sent_at: float = 0.0


class TransportError(StrEnum):
    """Why no reply came. The values are shown to people."""

    UNREACHABLE = "could not connect to Klaviyo"
    CONNECTION_REFUSED = "connection refused"  # by an address of this machine
    CERTIFICATE_UNVERIFIED = "the server's certificate could not be verified"
    INVALID_REQUEST = "the request could not be built"
    TIMED_OUT = "no reply came in time"
    TOO_SLOW = "the reply was not complete in time"
    TOO_LARGE = "the reply was larger than 50 MB"
    CONNECTION_LOST = "the connection was lost"

    @property
    def outcome_unknown(self) -> bool:
        """Return whether the request may have been carried out."""
        return self in (
            TransportError.TIMED_OUT,
            TransportError.TOO_SLOW,
            TransportError.TOO_LARGE,
            TransportError.CONNECTION_LOST,
        )

    @property
    def retryable(self) -> bool:
        """Return whether another attempt may succeed."""
        return self not in (
            TransportError.CERTIFICATE_UNVERIFIED,
            TransportError.INVALID_REQUEST,
            TransportError.TOO_LARGE,
        )


TransportResult: TypeAlias = Response | TransportError


@dataclass(frozen=True)
class RequestLogEntry:
    """One finished attempt, for logs: without headers, body and query.

    `status` is None if an `error` came instead of a reply.
    """

    method: str
    path: str
    status: int | None
    error: str
    seconds: float
    attempt: int


RequestHook: TypeAlias = Callable[[RequestLogEntry], None]
