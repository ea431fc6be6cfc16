"""A limit for the total time of a request, which `requests` does not have.

Its timeouts hold for each read from the socket: a server that sends a byte a second never exceeds them. At
the deadline another thread shuts the socket down, which ends the read that waits for it.
"""

from __future__ import annotations

import socket
import threading
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
        self._sockets: list[Any] = []
        self._over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _current.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
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

    def _expire(self) -> None:
        with self._lock:
            if self._over:
                return
            self.expired = True
            for connected in self._sockets:
                _shut_down(connected)


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
