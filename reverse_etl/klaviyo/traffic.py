"""What went over the wire, counted by endpoint."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.exchange import Answer, Outcome, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.endpoints import Endpoint


@dataclass(frozen=True)
class Traffic:
    """Requests that went out, with `retries` among them, and what came of them.

    `throttled` counts 429s, `faults` tries without a reply; bytes are those of bodies, seconds those until
    replies.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    faults: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    seconds: float = 0.0


class Tally:
    """The traffic so far. Thread-safe."""

    def __init__(self) -> None:
        self._by_endpoint: dict[Endpoint, Traffic] = {}
        self._lock = threading.Lock()

    def count(self, request: Request, outcome: Outcome, *, again: bool, seconds: float) -> None:
        """Add one finished try."""
        answer = outcome if isinstance(outcome, Answer) else None
        with self._lock:
            so_far = self._by_endpoint.get(request.endpoint, Traffic())
            self._by_endpoint[request.endpoint] = replace(
                so_far,
                requests=so_far.requests + 1,
                retries=so_far.retries + again,
                throttled=so_far.throttled + (answer is not None and answer.status == 429),  # noqa: PLR2004 - a status
                faults=so_far.faults + (answer is None),
                bytes_sent=so_far.bytes_sent + len(request.body or b""),
                bytes_received=so_far.bytes_received + (len(answer.content) if answer else 0),
                seconds=so_far.seconds + seconds,
            )

    def by_endpoint(self) -> Mapping[Endpoint, Traffic]:
        """Return the counts at this moment; endpoints that were not called are left out."""
        with self._lock:
            return MappingProxyType(dict(self._by_endpoint))
