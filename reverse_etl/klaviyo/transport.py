"""Send one request over HTTP and return its reply or error. Only this module uses `requests`.

Exceptions of `requests` must not leave this module: they carry the prepared request, and with it the key.
"""

from __future__ import annotations

import ssl
from contextlib import closing
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import requests
from requests.auth import AuthBase
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.exceptions import ProxyError as PoolProxyError

from reverse_etl import __version__
from reverse_etl.errors import UsageError
from reverse_etl.klaviyo import reply_body
from reverse_etl.klaviyo.deadline import Deadline, DeadlineAdapter
from reverse_etl.klaviyo.messages import Request, Response, TransportError, TransportResult
from reverse_etl.klaviyo.origin import KLAVIYO_ORIGIN, parse_allowed_origin
from reverse_etl.klaviyo.revision import OPT_OUT_HEADER

MEDIA_TYPE = "application/vnd.api+json"


class Key(Protocol):
    """A private key that hides its value."""

    def reveal(self) -> str:
        """Return the key."""
        ...


@dataclass(frozen=True)
class Timeouts:
    """Seconds to connect, between two bytes, and for a whole attempt with the last byte of its reply."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0


class Transport:
    """Pooled connections to one origin, with at most `max_connections` requests in flight. Thread-safe.

    Raises UsageError if `origin` is neither Klaviyo's nor a loopback address, or if the key is not valid in
    an HTTP header.
    """

    def __init__(
        self,
        origin: str,
        key: Key,
        revision: str,
        *,
        max_connections: int,
        timeouts: Timeouts,
    ) -> None:
        self.origin = require_allowed_origin(origin)
        self._secret = _require_valid_key(key).encode()
        self._timeouts = timeouts
        self._session = _SessionWithoutRedirects()
        self._session.auth = _Authorization(key)  # without an auth object, `requests` would use ~/.netrc
        self._session.headers.update(
            {
                "revision": revision,
                OPT_OUT_HEADER: "1",  # a retired revision is an error, and not silently another one
                "accept": MEDIA_TYPE,
                "accept-encoding": reply_body.ACCEPT_ENCODING,
                "content-type": MEDIA_TYPE,
                "user-agent": f"reverse-etl/{__version__}",
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.trust_env = self.origin == KLAVIYO_ORIGIN  # no proxies and certificates for loopback
        self._session.mount(
            self.origin,
            DeadlineAdapter(pool_connections=1, pool_maxsize=max_connections, max_retries=0, pool_block=True),
        )

    def send(self, request: Request) -> TransportResult:
        """Send `request` once and return the reply or the error. Does not raise for network errors."""
        with Deadline(self._timeouts.total) as deadline:
            result = self._send(request)
        return TransportError.TOO_SLOW if deadline.expired else result

    def _send(self, request: Request) -> TransportResult:
        try:
            with closing(
                self._session.request(
                    request.endpoint.method,
                    self.origin + request.target,
                    data=request.body,
                    headers=dict(request.headers),
                    timeout=(self._timeouts.connect, self._timeouts.read),
                    allow_redirects=False,
                    stream=True,
                )
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                content = reply_body.read_body(
                    response.raw.stream(reply_body.CHUNK_BYTES, decode_content=False),
                    headers.get("content-encoding", ""),
                )
        except reply_body.BodyTooLarge:
            return TransportError.TOO_LARGE
        except reply_body.BodyIncomplete:
            return TransportError.CONNECTION_LOST
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _classify_error(error, loopback=self.origin != KLAVIYO_ORIGIN)
        return Response(response.status_code, headers, content.replace(self._secret, b"***"))

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()


class _SessionWithoutRedirects(requests.Session):
    """A session that does not look for redirects: the search would read a reply without bounds."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None."""
        del resp


class _Authorization(AuthBase):
    """Klaviyo's authorization scheme for private keys. Its repr does not show the key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Klaviyo-API-Key {self._key.reveal()}"
        return prepared


def require_allowed_origin(origin: str) -> str:
    """Return the normalized origin. Raises UsageError if the key may not be sent there."""
    allowed = parse_allowed_origin(origin)
    if allowed is None:
        raise UsageError.of(
            f"The key may not be sent to {origin!r}.",
            where="origin of the destination",
            hint=f"Use {KLAVIYO_ORIGIN}, or http:// with a loopback address such as http://127.0.0.1:8080.",
        )
    return allowed


def _require_valid_key(key: Key) -> str:
    text = key.reveal()
    if text and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise UsageError.of(
        "The private API key is empty, or has blanks or unusual characters.",
        where="private_api_key of the destination",
        hint="Copy it again from Klaviyo: Settings, API keys. It begins with 'pk_'.",
    )


def _classify_error(error: Exception, *, loopback: bool) -> TransportError:
    chain = list(_collect_causes(error))
    if loopback and any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return TransportError.CONNECTION_REFUSED
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        return TransportError.CERTIFICATE_UNVERIFIED
    if any(isinstance(cause, _CONNECT_ERRORS) for cause in chain):
        return TransportError.UNREACHABLE
    if any(isinstance(cause, requests.Timeout | TimeoutError) for cause in chain):
        return TransportError.TIMED_OUT
    return (
        TransportError.INVALID_REQUEST
        if isinstance(error, ValueError) and not isinstance(error, _REPLY_ERRORS)
        else TransportError.CONNECTION_LOST
    )


# Some errors of `requests` about a reply are subclasses of ValueError too.
_REPLY_ERRORS = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    HTTPError,
)
_CONNECT_ERRORS = (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    PoolProxyError,
    requests.ConnectTimeout,
)


def _collect_causes(error: BaseException) -> list[BaseException]:
    """Return `error` and all exceptions that it wraps: arguments, causes, contexts, reasons."""
    causes: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        cause = todo.pop()
        if not isinstance(cause, BaseException) or any(cause is seen for seen in causes):
            continue
        causes.append(cause)
        todo += [*cause.args, cause.__cause__, cause.__context__]
        if isinstance(cause, MaxRetryError):
            todo.append(cause.reason)
    return causes
