"""Werkzeug's threaded server with keep-alive, the sandbox's clock, and connections that can be cut.

Werkzeug closes each connection after one reply, because it does not know where a body ends. This server
reads the whole body before it calls the app, so that the connection can be reused.
"""

from __future__ import annotations

import logging
import socket
import sys
from email.utils import formatdate
from io import BytesIO
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.app import CUT_ENVIRON_KEY, DRIP_ENVIRON_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIApplication

_LOG: Final = logging.getLogger(__name__)
_HOST: Final = "127.0.0.1"
_MAX_BODY_BYTES: Final = 64_000_000
_SHUTDOWN_TIMEOUT_SECONDS: Final = 2.0


class Server:
    """A server on the loopback interface. It listens as soon as it is created.

    `now` returns the time for the Date header.
    """

    def __init__(self, app: WSGIApplication, port: int, now: Callable[[], float]) -> None:
        listening_socket = _open_listening_socket(port)
        with listening_socket:
            self._server = _ThreadedServer(
                _HOST,
                listening_socket.getsockname()[1],
                app,
                _ConnectionHandler,
                fd=listening_socket.fileno(),
            )
        self._server.now = now
        self.origin = f"http://{_HOST}:{self._server.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, close all connections, and wait up to two seconds for requests in progress."""
        self._server.shutdown()
        self._thread.join()
        self._server.shut_down_connections()


class _ThreadedServer(ThreadedWSGIServer):
    """A server with one thread per connection; it keeps a list of connections to close them at the end."""

    now: Callable[[], float]

    def __init__(self, *arguments: Any, **keyword_arguments: Any) -> None:
        self._open_connections: set[Any] = set()
        self._connections_changed = Condition()
        super().__init__(*arguments, **keyword_arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_changed:
            self._open_connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._connections_changed:
            self._open_connections.discard(request)
            self._connections_changed.notify_all()

    def shut_down_connections(self) -> None:
        with self._connections_changed:
            for connection in self._open_connections:
                shut_down_connection(connection)
            self._connections_changed.wait_for(lambda: not self._open_connections, _SHUTDOWN_TIMEOUT_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        _LOG.debug("A connection ended with an error", exc_info=sys.exc_info())


class _ConnectionHandler(WSGIRequestHandler):
    """One connection: HTTP/1.1 with keep-alive, each reply in a single write, without Nagle's delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _ThreadedServer

    def run_wsgi(self) -> None:
        """Read a whole request, and reply to it, or close the connection if the app requests that."""
        environ = self.make_environ()
        length = int(self.headers.get("Content-Length") or 0)
        self.close_connection |= length > _MAX_BODY_BYTES  # the rest of such a body is never read
        body = _read_body(environ["wsgi.input"], length, environ)
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        status, headers, content = _call_app(self.server.app, environ)
        if CUT_ENVIRON_KEY in environ:
            self.close_connection = True
            shut_down_connection(self.connection)
            return
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write_body(content, environ.get(DRIP_ENVIRON_KEY))
        self.wfile.flush()

    def _write_body(self, content: bytes, before_each_byte: Callable[[], None] | None) -> None:
        if before_each_byte is None:
            self.wfile.write(content)
            return
        for position in range(len(content)):
            self.wfile.flush()
            before_each_byte()
            self.wfile.write(content[position : position + 1])

    def handle_expect_100(self) -> bool:
        """Send 100 Continue to a client that waits for it before it sends the body."""
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header, from the sandbox's clock."""
        return formatdate(self.server.now() if timestamp is None else timestamp, usegmt=True)

    def version_string(self) -> str:
        """Return the Server header."""
        return "sandbox"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's signature
        """Log nothing: the sandbox has its own request log."""


def shut_down_connection(connection: socket.socket) -> None:
    """Shut down a connection in both directions; ignore one that is already closed."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        _LOG.debug("The client had gone already")


def _open_listening_socket(port: int) -> socket.socket:
    listening_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening_socket.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listening_socket.close()
        raise UsageError.of(
            f"The sandbox cannot listen on port {port}: {error}.",
            where=f"{_HOST}:{port}",
            hint="Stop the program that uses the port, or choose another; 0 takes any free one.",
        ) from error
    listening_socket.listen(128)
    return listening_socket


def _read_body(source: Any, length: int, environ: dict[str, Any]) -> bytes:
    chunked = environ.get("wsgi.input_terminated")
    body: bytes = source.read(_MAX_BODY_BYTES if chunked else min(length, _MAX_BODY_BYTES))
    return body


def _call_app(app: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    response_start: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
        response_start[:] = [status, headers]
        return lambda _: None

    parts: Iterable[bytes] = app(environ, start_response)
    try:
        content = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return response_start[0], response_start[1], content
