"""Lets a sandbox answer requests in the thread that sends them, without a socket and HTTP on it.

HTTP takes more time than the answer. `make test` runs the core's tests so; its tests of the client, of the
sandbox and of the commands use HTTP, and so do all tests of `make test-long`.
"""

from __future__ import annotations

from contextlib import contextmanager
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

from werkzeug.exceptions import HTTPException

from reverse_etl.klaviyo import reply_body
from reverse_etl.klaviyo.messages import Response, TransportError
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.sandbox.answering import handle_request
from reverse_etl.sandbox.app import ROUTES, _flask_app
from reverse_etl.sandbox.ask import ApiRequest
from reverse_etl.sandbox.replies import JSON_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.routing import MapAdapter

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from reverse_etl.sandbox import Sandbox
    from reverse_etl.sandbox.replies import ApiResponse
    from reverse_etl.sandbox.routes.route import Route

_ROUTES: Final = {route.operation: route for route in ROUTES}
_HTML: Final = "text/html; charset=utf-8"
_sandboxes: dict[str, Sandbox] = {}
_send_over_http = Transport._send


@contextmanager
def answer_directly(sandbox: Sandbox) -> Iterator[None]:
    """Let a running sandbox answer so within the block."""
    origin = sandbox.origin
    _sandboxes[origin] = sandbox
    try:
        yield
    finally:
        del _sandboxes[origin]


def _send(self: Transport, request: Request) -> TransportResult:
    """Send a request in the place of `Transport._send`."""
    sandbox = _sandboxes.get(self.origin)
    path, _, query = request.target.partition("?")
    found = _find_route(request.endpoint.method, path) if sandbox else None
    if sandbox is None or found is None:
        return _send_over_http(self, request)
    route, parameters = found
    asked = ApiRequest(
        method=route.method,
        path=unquote(path).rstrip("/"),
        origin=self.origin,
        path_parameters=parameters,
        query=_parse_query(query),
        body=request.body or b"",
    )
    headers = _collect_headers(self, request)
    return _receive(sandbox, self, handle_request(sandbox._account, route, asked, headers))


@cache
def _url_map() -> MapAdapter:
    return _flask_app().url_map.bind("")


def _find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    try:
        operation, parameters = _url_map().match(unquote(path), method)
    except HTTPException:
        return None
    route = _ROUTES.get(operation)
    return (route, dict(parameters)) if route else None


def _parse_query(text: str) -> dict[str, str]:
    """Return the parameters of a query; the first one of a name counts."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parameters.setdefault(name, value)
    return parameters


def _collect_headers(transport: Transport, request: Request) -> dict[str, str]:
    sent = {**transport._session.headers, **request.headers}
    key = f"Klaviyo-API-Key {transport._secret.decode()}"
    return {name.lower(): str(value) for name, value in sent.items()} | {"authorization": key}


def _receive(sandbox: Sandbox, transport: Transport, answer: ApiResponse) -> TransportResult:
    """Return what the transport makes of an answer."""
    if answer.cut:
        return TransportError.CONNECTION_LOST
    headers = {"Date": formatdate(sandbox.now(), usegmt=True)}
    headers |= {"Content-Type": JSON_API if answer.text is None else _HTML} | answer.headers
    headers = {name.lower(): value for name, value in headers.items()}
    packed = answer.content()
    if answer.before_each_byte is not None:
        for _ in packed:
            answer.before_each_byte()
    try:
        content = reply_body.read_body([packed], headers.get("content-encoding", ""))
    except reply_body.BodyTooLarge:
        return TransportError.TOO_LARGE
    except reply_body.BodyIncomplete:
        return TransportError.CONNECTION_LOST
    return Response(answer.status, headers, content.replace(transport._secret, b"***"))


Transport._send = _send  # type: ignore[method-assign]
