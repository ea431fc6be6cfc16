"""A limit for the total time of a request, which `requests` does not have.

Its timeouts hold for each read from the socket: a server that sends a byte a second never exceeds them. At
the deadline another thread shuts the socket down, which ends the read that waits for it. All requests share
that thread: to start one for each would take a twentieth of a run's time.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from types import TracebackType

    from urllib3.poolmanager import PoolManager, ProxyManager


class Deadline:
    """Shuts the sockets that this thread uses within the `with` block down after `seconds`.

    `expired` is whether it did.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._seconds = seconds
        self._sockets: list[Any] = []
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _current.deadline = self
        _watchdog.add(self, self._seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _watchdog.remove(self)
        _current.deadline = None
        with self._lock:
            self._over = True
            self._sockets.clear()

    def watch(self, connected: Any) -> None:
        """Include a socket. One that is included after the deadline is shut down at once."""
        with self._lock:
            self._sockets.append(connected)
            if self.expired:
                _shut_down(connected)

    def expire(self) -> None:
        """Shut the sockets down, unless the block has ended."""
        with self._lock:
            if self._over:
                return
            self.expired = True
            for connected in self._sockets:
                _shut_down(connected)


class _Watchdog:
    """A thread that lets deadlines expire. It starts with the first one, and ends when none is open."""

    def __init__(self) -> None:
        self._due: dict[Deadline, float] = {}
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def add(self, deadline: Deadline, seconds: float) -> None:
        """Let a deadline expire after `seconds`."""
        with self._changed:
            due = self._due[deadline] = time.monotonic() + seconds
            if self._thread is None or not self._thread.is_alive():  # a forked process has no threads
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif due < self._wakes_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        """Do not let a deadline expire."""
        with self._changed:
            self._due.pop(deadline, None)

    def _watch(self) -> None:
        with self._changed:
            while self._due:
                now = time.monotonic()
                for deadline in [deadline for deadline, due in self._due.items() if due <= now]:
                    del self._due[deadline]
                    deadline.expire()
                self._wakes_at = min(self._due.values(), default=now)
                self._changed.wait(self._wakes_at - now)
            self._thread = None


_watchdog = _Watchdog()


class _Current(threading.local):
    deadline: Deadline | None = None


_current = _Current()


def _shut_down(connected: Any) -> None:
    with suppress(OSError, TypeError):  # the method of an SSLSocket would also drop its TLS state
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _watch(connection: HTTPConnection) -> None:
    if _current.deadline is not None and connection.sock is not None:
        _current.deadline.watch(connection.sock)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def putrequest(self, *arguments: Any, **options: Any) -> None:
        _watch(self)  # a connection of an earlier request
        super().putrequest(*arguments, **options)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _watch(self)

    def putrequest(self, *arguments: Any, **options: Any) -> None:
        _watch(self)
        super().putrequest(*arguments, **options)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """The adapter of `requests`, with connections that the current `Deadline` watches."""

    poolmanager: PoolManager

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> ProxyManager:
        """Return the pools of a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager
