"""A stand-in for Klaviyo that only counts: no limits, and import jobs complete at once.

As cheap as can be, so that what is measured is the sender: raw sockets, a thread for each connection, bodies
read whole into one buffer and not parsed. `python stub.py` prints its port and serves until its input ends.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 100
ROW = b'"type":"profile",'  # once in each profile of an import
JOBS = "/api/profile-bulk-import-jobs"


@dataclass
class Counts:
    """The requests received, the imports among them, and the jobs and lists that were made."""

    requests: int = 0
    imports: int = 0
    rows: int = 0
    bytes: int = 0
    jobs: list[tuple[str, int]] = field(
        default_factory=list
    )  # (created, rows); the id is the place in the list
    lists: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_import(self, body: memoryview) -> str:
        """Count an import and return its job's id."""
        rows = bytes(body).count(ROW)
        with self.lock:
            self.imports += 1
            self.rows += rows
            self.bytes += len(body)
            self.jobs.append((datetime.now(UTC).isoformat(), rows))
            return f"job{len(self.jobs) - 1}"


def answer(counts: Counts, method: str, target: str, body: memoryview) -> tuple[str, object]:
    """Return status and document for a request."""
    parts = urlsplit(target)
    if method == "POST" and parts.path == JOBS:
        return "202 Accepted", {"data": _job(counts, int(counts.take_import(body)[3:]))}
    if method == "POST":
        counts.lists.append(json.loads(bytes(body))["data"]["attributes"]["name"])
        return "201 Created", {"data": _list(counts, len(counts.lists) - 1)}
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return "200 OK", _read(counts, parts.path, query)


def _read(counts: Counts, path: str, query: dict[str, str]) -> object:
    if path == "/counts":
        return {name: getattr(counts, name) for name in ("requests", "imports", "rows", "bytes")}
    if path == "/api/accounts":
        return {
            "data": [{"type": "account", "id": "BENCH1", "attributes": {"test_account": True}}],
            "links": {},
        }
    if path == "/api/lists":
        asked = query.get("filter", "")
        found = [i for i, name in enumerate(counts.lists) if json.dumps(name) in asked]
        return {"data": [_list(counts, i) for i in found], "links": {"next": None}}
    if path.startswith("/api/lists/"):
        number, members, _ = unquote(path).rpartition("/L")[2].partition("/profiles")
        return {"data": [], "links": {"next": None}} if members else {"data": _list(counts, int(number))}
    if path == JOBS:
        last = int(query.get("page[cursor]", len(counts.jobs)))
        first = max(last - PAGE, 0)
        following = f"http://{query['host']}{JOBS}?page%5Bcursor%5D={first}" if first else None
        return {"data": [_job(counts, i) for i in reversed(range(first, last))], "links": {"next": following}}
    job, errors, _ = path.rpartition("/job")[2].partition("/import-errors")
    return {"data": [], "links": {"next": None}} if errors else {"data": _job(counts, int(job))}


def _job(counts: Counts, number: int) -> object:
    created, rows = counts.jobs[number]
    attributes = {
        "status": "complete",
        "created_at": created,
        "total_count": rows,
        "completed_count": rows,
        "failed_count": 0,
    }
    return {"type": "profile-bulk-import-job", "id": f"job{number}", "attributes": attributes}


def _list(counts: Counts, number: int) -> object:
    attributes = {"name": counts.lists[number], "created": "2026-01-01T00:00:00+00:00"}
    return {"type": "list", "id": f"L{number}", "attributes": attributes}


def serve(connection: socket.socket, counts: Counts) -> None:
    """Answer the requests of one connection, one after another, until it is closed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(8_000_000)
    view = memoryview(buffer)
    have = 0
    while True:
        while (end := buffer.find(b"\r\n\r\n", 0, have)) < 0:
            got = connection.recv_into(view[have:])
            if not got:
                return
            have += got
        method, target, length, host = _head(bytes(view[:end]))
        whole = end + 4 + length
        while have < whole:
            have += connection.recv_into(view[have:])
        counts.requests += target != "/counts"
        if target.startswith(JOBS + "?"):
            target += f"&host={host}"
        status, document = answer(counts, method, target, view[end + 4 : whole])
        connection.sendall(_reply(status, document))
        buffer[: have - whole] = buffer[whole:have]
        have -= whole


def _head(head: bytes) -> tuple[str, str, int, str]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return method, target, int(headers.get("content-length", 0)), headers.get("host", "")


def _reply(status: str, document: object) -> bytes:
    body = json.dumps(document).encode()
    head = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/vnd.api+json",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join((*head, "", "")).encode() + body


def main() -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    counts = Counts()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        threading.Thread(target=_accept, args=(listening, counts), daemon=True).start()
        sys.stdin.read()


def _accept(listening: socket.socket, counts: Counts) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection, counts), daemon=True).start()


if __name__ == "__main__":
    main()
