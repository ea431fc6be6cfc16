"""Real receivers on this machine: a web server and a mail server that keep what they get."""

from __future__ import annotations

import json
import socketserver
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Received:
    """A request that a web server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the body, which is a JSON object."""
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


@dataclass
class WebServer:
    """A web server. It answers with the next of `statuses`, the last of them for ever."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[Received] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """Return the paths of the requests, in their order."""
        return [request.path for request in self.received]


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Run a web server."""
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.received.append(
                Received(self.command, self.path, {**self.headers}, body),
            )
            status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            self.send_response(status)
            self.send_header("Location", f"{server.origin}/elsewhere")
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815 - the names of http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        server.port = http_server.server_port
        thread = Thread(target=http_server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            http_server.shutdown()
            thread.join()


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Run a mail server; yields its port and the messages that it took."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._reply("220 ready")
            while line := self.rfile.readline():
                match line.decode().strip().upper().split(" ")[0]:
                    case "EHLO":
                        self._reply("250-here\r\n250 AUTH PLAIN LOGIN")
                    case "AUTH":
                        self._reply("235 welcome")
                    case "DATA":
                        self._reply("354 go on")
                        mails.append(self._read_mail())
                        self._reply("250 taken")
                    case "QUIT":
                        self._reply("221 bye")
                        return
                    case _:
                        self._reply("250 ok")

        def _read_mail(self) -> str:
            lines: list[str] = []
            while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
                lines.append(line)
            return "".join(lines)

        def _reply(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield int(server.server_address[1]), mails
        finally:
            server.shutdown()
            thread.join()
