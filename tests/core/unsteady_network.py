"""A network that loses requests and replies, in which runs die, and in which people act between requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import GuardRefused
from reverse_etl.klaviyo.messages import TransportError
from reverse_etl.klaviyo.transport import Transport
from tests.core.world import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    import pytest

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from tests.core.world import World


@dataclass
class UnsteadyNetwork:
    """Sends the requests of runs, by chance. Once it is calm, all of them arrive."""

    world: World
    chance: Random
    calm: bool = False

    def begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Send all requests of this process from now on."""
        send = Transport.send
        monkeypatch.setattr(Transport, "send", lambda *call: self.send(send, *call))

    def happen(self) -> None:
        """Let people act, perhaps: before and after each request."""

    def note(self, request: Request) -> None:
        """Note a request just before it is sent."""

    def send(self, send: Callable[[Transport, Request], TransportResult], *call: Any) -> TransportResult:
        """Send a request, or don't, or lose its reply, or die before or after it."""
        self.happen()
        self.note(call[1])
        lot = 1.0 if self.calm else self.chance.random()
        if lot < 0.03:
            raise Interrupted
        if lot < 0.06:
            return TransportError.TIMED_OUT
        result = send(*call)
        self.happen()
        if lot < 0.09:
            raise Interrupted
        return TransportError.CONNECTION_LOST if lot < 0.14 else result


def emails_of(request: Request) -> set[str]:
    """Return the people of a request that changes consent or suppressions: e-mails, or phones."""
    rows = json.loads(request.body or b"")["data"]["attributes"]["profiles"]["data"]
    people = [row["attributes"] for row in rows]
    return {person.get("email") or person["phone_number"] for person in people}


def survive(world: World) -> int:
    """Run once, and return the exit code; a dead run has none."""
    try:
        return world.project(threads=1).run().exit_code
    except (Interrupted, GuardRefused):
        return -1
