"""The edge to the network: one request out, one reply or fault back. The only module that knows `requests`.

Nothing of the library's gets out: its exceptions carry the prepared request, and with it the key.
"""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter
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
from reverse_etl.klaviyo.messages import Answer, Fault, Outcome, Request
from reverse_etl.klaviyo.origin import KLAVIYO, allowed_origin

MEDIA_TYPE = "application/vnd.api+json"
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 60.0


class Key(Protocol):
    """A private key that shows itself only when asked."""

    def reveal(self) -> str:
        """Return the key."""
        ...


class Wire:
    """Pooled connections to one origin.

    Thread-safe. `connections` is how many requests may be in flight at once.

    Raises UsageError when `origin` is neither Klaviyo's nor a loopback address, or when the key can't stand
    in a header.
    """

    def __init__(
        self, origin: str, key: Key, revision: str, *, connections: int, read_seconds: float = _READ_SECONDS
    ) -> None:
        self.origin = checked_origin(origin)
        self._secret = _checked_key(key).encode()
        self._timeouts = (_CONNECT_SECONDS, read_seconds)
        self._session = requests.Session()
        self._session.auth = _Authorization(key)  # an object, or ~/.netrc would take its place
        self._session.headers.update(
            {
                "revision": revision,
                "accept": MEDIA_TYPE,
                "content-type": MEDIA_TYPE,
                "user-agent": f"reverse-etl/{__version__}",
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.trust_env = self.origin == KLAVIYO  # proxies and certificates; none for loopback
        self._session.mount(
            self.origin,
            HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0, pool_block=True),
        )

    def exchange(self, request: Request) -> Outcome:
        """Send `request` once and return what came of it; never raises for what the network does."""
        try:
            response = self._session.request(
                request.endpoint.method,
                self.origin + request.target,
                data=request.body,
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _fault(error, loopback=self.origin != KLAVIYO)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content.replace(self._secret, b"***"))

    def close(self) -> None:
        """Close the connections that are idle."""
        self._session.close()


class _Authorization(AuthBase):
    """Klaviyo's scheme for private keys. Shows nothing of the key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Klaviyo-API-Key {self._key.reveal()}"
        return prepared


def checked_origin(origin: str) -> str:
    """Return `origin` as `allowed_origin` does; raises UsageError for one to which the key may not go."""
    allowed = allowed_origin(origin)
    if allowed is None:
        raise UsageError.of(
            f"The key is not sent to {origin!r}.",
            where="origin of the destination",
            advice=f"Use {KLAVIYO}, or http:// with a loopback address such as http://127.0.0.1:8080.",
        )
    return allowed


def _checked_key(key: Key) -> str:
    text = key.reveal()
    if text and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise UsageError.of(
        "The private API key is empty or holds blanks or unusual characters.",
        where="private_api_key of the destination",
        advice="Copy it again from Klaviyo: Settings, API keys. It begins with 'pk_'.",
    )


def _fault(error: Exception, *, loopback: bool) -> Fault:
    chain = list(_causes(error))
    if loopback and any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return Fault.REFUSED
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        return Fault.UNTRUSTED
    if any(isinstance(cause, _NOT_CONNECTED) for cause in chain):
        return Fault.UNREACHABLE
    if any(isinstance(cause, requests.Timeout | TimeoutError) for cause in chain):
        return Fault.SILENT
    return Fault.UNSENDABLE if isinstance(error, ValueError) and not isinstance(error, _SENT) else Fault.CUT


# requests derives some errors of the reply from ValueError too.
_SENT = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    HTTPError,
)
_NOT_CONNECTED = (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    PoolProxyError,
    requests.ConnectTimeout,
)


def _causes(error: BaseException) -> list[BaseException]:
    """Return `error` and everything that it wraps, in whichever way."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        cause = todo.pop()
        if not isinstance(cause, BaseException) or any(cause is seen for seen in found):
            continue
        found.append(cause)
        todo += [*cause.args, cause.__cause__, cause.__context__]
        if isinstance(cause, MaxRetryError):
            todo.append(cause.reason)
    return found
