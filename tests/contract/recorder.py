"""A sandbox whose clock is stopped, and every request as the sandbox received it."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START = 1_577_854_800.0  # 2020-01-01T05:00:00Z: before any time that a machine can show
DAY = 86_400.0
KEY = "pk_contract"
_OPT_OUT = "x-klaviyo-revision-fall-forward-opt-out"
_PASSED_ON = ("Authorization", "Content-Type", "Content-Encoding", "revision", _OPT_OUT, "Accept")
_SHOWN = ("User-Agent", "Accept", "Content-Type", "Content-Encoding", "revision", _OPT_OUT)


class StandingClock:
    """A clock that only tests move, so that every time of Klaviyo's is the same in every run of the tests."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """Return seconds since some fixed point."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.time += seconds


@dataclass(frozen=True)
class Request:
    """A request as the sandbox received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def text(self, usual: Mapping[str, str]) -> str:
        """Return the request as lines, with the query also as it reads decoded; the body is as it came.

        Headers that are as usual are left out.
        """
        decoded = unquote(self.target.replace("+", " "))
        lines = [f"{self.method} {self.target}"]
        lines += [f"  = {decoded}"] if decoded != self.target else []
        lines += [f"  {name}: {value}" for name, value in self.headers.items() if usual.get(name) != value]
        lines += [f"  without {name}" for name in sorted(usual.keys() - self.headers.keys())]
        return "\n".join([*lines, *([self.body.decode()] if self.body else [])])


@dataclass
class Klaviyo:
    """The sandbox behind a server that records requests. Use it in a `with` block.

    `on_request` is called with each request before it is passed on; if it returns False the connection is
    closed instead. `faults` maps a text to a fault of the next request whose body contains it.
    """

    clock: StandingClock = field(default_factory=StandingClock)
    requests: list[Request] = field(default_factory=list)
    on_request: Callable[[Request], bool] = lambda _: True
    faults: dict[str, dict[str, object]] = field(default_factory=dict)
    _opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.sandbox = self._opened.enter_context(
            Sandbox(None, clock=self.clock, account_seed="contract", job_seconds=0.0, limits=False, key=KEY)
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self._opened.callback(server.server_close)
        self._opened.callback(thread.join)
        self._opened.callback(server.shutdown)
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def take_requests(self) -> list[Request]:
        """Return the requests since the last call."""
        requests, self.requests[:] = [*self.requests], ()
        return requests

    def send(self, method: str, path: str, document: object = None) -> Any:
        """Send a request as another app of the account does, past the recording server."""
        headers = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": "2026-10-15"}
        headers["Content-Type"] = "application/json"
        body = b"" if document is None else json.dumps(document).encode()
        status, _, content = _passed_on(self.sandbox.origin, method, path, headers, body)
        assert status < 300, content
        return json.loads(content) if content else None

    def new_list(self, name: str) -> str:
        """Create a list and return its id."""
        return str(self.send("POST", "/api/lists", _resource("list", name=name))["data"]["id"])

    def new_profile(self, **attributes: object) -> str:
        """Create a profile and return its id."""
        return str(self.send("POST", "/api/profiles", _resource("profile", **attributes))["data"]["id"])

    def change_profile(self, id_: str, **attributes: object) -> None:
        """Change attributes of a profile."""
        document = _resource("profile", **attributes)
        document["data"]["id"] = id_
        self.send("PATCH", f"/api/profiles/{id_}", document)

    def change_members(self, method: str, list_id: str, *profiles: str) -> None:
        """Add (POST) profiles to a list or remove (DELETE) them."""
        document = {"data": [{"type": "profile", "id": id_} for id_ in profiles]}
        self.send(method, f"/api/lists/{list_id}/relationships/profiles", document)

    def profile_id(self, email: str) -> str:
        """Return the id of the profile that has this e-mail."""
        (found,) = [each["id"] for each in self.sandbox.profiles() if each["email"] == email]
        return str(found)

    def fault(self, **fault: object) -> None:
        """Make the next request fail that the fault applies to."""
        self.send("POST", "/sandbox/faults", fault)

    def record(self, request: Request) -> bool:
        """Record a request and set up its fault. Return whether to pass it on."""
        time.sleep(0.002)  # so that this machine's times before and after a request differ
        self.requests.append(request)
        for text in [text for text in self.faults if text.encode() in request.body]:
            self.fault(**self.faults.pop(text))
        return self.on_request(request)


def _resource(type_: str, **attributes: object) -> dict[str, Any]:
    return {"data": {"type": type_, "attributes": attributes}}


def _handler(klaviyo: Klaviyo) -> type[BaseHTTPRequestHandler]:
    """Return the class of a connection that records each request and passes it on to the sandbox."""

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = {name: self.headers[name] for name in _SHOWN if name in self.headers}
            request = Request(self.command, self.path, shown, body)
            headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            try:
                if not klaviyo.record(request):
                    raise ConnectionError
                status, kept, content = _passed_on(
                    klaviyo.sandbox.origin, self.command, self.path, headers, body
                )
                # Links to next pages must lead through this server again.
                content = content.replace(klaviyo.sandbox.origin.encode(), klaviyo.origin.encode())
                self._answer(status, kept, content)
            except (OSError, HTTPException):  # the sandbox hung up, or the client did
                self.close_connection = True

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the library's signature
            """Keep quiet."""

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names

    return Connection


def _passed_on(
    origin: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send a request to the sandbox; return status, headers and body of the response."""
    connection = HTTPConnection(origin.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()
