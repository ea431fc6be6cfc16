"""A real HTTP server on loopback with scripted replies, and a clock that does not wait."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import pytest

    from reverse_etl.errors import Problem, ReverseEtlError

KEY = "pk_0123456789abcdef-the-secret"
JSON_API = "application/vnd.api+json"


class DummyKey:
    """A key that shows itself only when asked."""

    def reveal(self) -> str:
        """Return the dummy."""
        return KEY


@dataclass
class Reply:
    """The server's reply to a request. `cut` closes the connection "before" or "after" reading it.

    `drip` sends some bytes of the "headers" or of the "body" one by one. It then calls `stall`, and waits for
    the client to hang up.
    """

    status: int = 200
    document: object = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    kind: str = JSON_API
    cut: str = ""
    date: str = ""
    hold: threading.Event | None = None
    drip: str = ""
    stall: Callable[[], None] = lambda: None

    def body(self) -> bytes:
        """Return the bytes of the reply."""
        if self.content is not None:
            return self.content
        return b"" if self.document is None else json.dumps(self.document).encode()


@dataclass(frozen=True)
class Seen:
    """A request as it reached the server; `connection` is the client's port."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


class ApiServer(ThreadingHTTPServer):
    """Gives its `replies` in turn, then its `usual` one, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.replies: deque[Reply] = deque()
        self.usual = Reply(document={"data": []})
        self.seen: list[Seen] = []
        self.hang_ups = threading.Semaphore(0)  # one more for each client that left a dripping reply
        self.lock = threading.Lock()

    def will(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self.replies.extend(replies)


class _Asked(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a reply goes out in one piece
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer as told."""
        with self.server.lock:
            reply = self.server.replies.popleft() if self.server.replies else self.server.usual
        if reply.cut == "before":
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        seen = Seen(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
        with self.server.lock:
            self.server.seen.append(seen)
        if reply.hold is not None:
            reply.hold.wait(10)
        if reply.cut == "after":
            self.close_connection = True
            return
        content = reply.body()
        self.date = reply.date
        if reply.drip:
            self._drip(reply, content)
            return
        self.send_response(reply.status)
        if reply.kind and reply.status != 204:
            self.send_header("content-type", reply.kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if reply.status != 204:
            with suppress(OSError):  # a client may hang up early
                self.wfile.write(content)

    def _drip(self, reply: Reply, content: bytes) -> None:
        """Send the begin of a reply byte by byte, stall, and count a client that then hangs up."""
        self.close_connection = True
        head = f"HTTP/1.1 {reply.status} OK\r\ncontent-type: {reply.kind}\r\n\r\n".encode()
        whole, slow = (b"", head) if reply.drip == "headers" else (head, content)
        with suppress(OSError):
            self.wfile.write(whole)
            for byte in slow[:5]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            reply.stall()
            self.connection.settimeout(60)
            if self.connection.recv(1) == b"":
                self.server.hang_ups.release()

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for
    do_DELETE = do_GET  # noqa: N815 - as above

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date of the reply."""
        return self.date or super().date_time_string(timestamp)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def refused(
    status: int, code: str = "invalid", pointer: str = "", detail: str = "It will not do.", **headers: Any
) -> Reply:
    """Return the reply with one error, as Klaviyo writes it."""
    error = {
        "id": "e-1",
        "status": status,
        "code": code,
        "title": "No.",
        "detail": detail,
        "source": {"pointer": pointer},
    }
    return Reply(
        status, {"errors": [error]}, {name.replace("_", "-"): str(value) for name, value in headers.items()}
    )


def throttled(after: int | None) -> Reply:
    """Return a 429 as Klaviyo writes it; without Retry-After for None."""
    headers: dict[str, Any] = {} if after is None else {"retry_after": after}
    return refused(429, "throttled", **headers)


BODY = b'{"data":{}}'
JOB = Reply(202, {"data": {"type": "profile-bulk-import-job", "id": "am9i/+=", "attributes": {}}})
CREATED = "2026-11-21T10:00:00+00:00"


def a_list(list_id: str, name: str) -> dict[str, Any]:
    """Return a list as Klaviyo writes it."""
    return {"type": "list", "id": list_id, "attributes": {"name": name, "created": CREATED}}


def a_member(
    profile_id: str, email: str | None, joined: str = CREATED, phone: str | None = None
) -> dict[str, Any]:
    """Return a member of a list as Klaviyo writes it."""
    return {
        "type": "profile",
        "id": profile_id,
        "attributes": {"email": email, "phone_number": phone, "external_id": None, "joined_group_at": joined},
    }


def page(resources: Sequence[Mapping[str, Any]], following: str | None = None) -> Reply:
    """Return the reply with one page of resources."""
    return Reply(document={"data": resources, "links": {"self": "x", "next": following}})


def problem(error: pytest.ExceptionInfo[ReverseEtlError]) -> Problem:
    """Return the one problem of an error."""
    (the_problem,) = error.value.problems
    return the_problem
