"""One world a test, and a way to make others."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.klaviyo.endpoints import CustomEndpoint, Endpoint
from reverse_etl.klaviyo.messages import Response
from reverse_etl.klaviyo.transport import Transport
from tests.core.fixtures import members  # noqa: F401 - a fixture
from tests.core.world import Interrupted, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from tests.core.world import PrepareWorld, SavedWorld


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Return what makes a world with rules of its own."""
    with ExitStack() as worlds:

        def make(name: str = "project", **options: Any) -> World:
            return worlds.enter_context(closing(World(tmp_path / name, **options)))

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Make a world."""
    return make_world()


@pytest.fixture(scope="session")
def saved_worlds() -> dict[object, SavedWorld]:
    """Hold the worlds that `prepare_world` saved, by the function that prepared each."""
    return {}


@pytest.fixture
def prepare_world(
    make_world: Callable[..., World],
    saved_worlds: dict[object, SavedWorld],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PrepareWorld]:
    """Return what makes a world that a function has prepared.

    The function runs once, however many tests begin so: each has a copy. That is cheaper than a run.
    """
    with ExitStack() as worlds:

        def load(prepare: Callable[[World], object]) -> World:
            if prepare not in saved_worlds:
                world = make_world("prepared")
                prepare(world)
                saved_worlds[prepare] = world.save(tmp_path_factory.mktemp("saved") / "world")
            folder = tmp_path / "project"
            if folder.exists():
                folder = tmp_path_factory.mktemp("again") / "project"
            return worlds.enter_context(closing(World.load(saved_worlds[prepare], folder)))

        yield load


@pytest.fixture
def play_replies(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Request], TransportResult]], None]:
    """Return what lets a test reply to the requests that models describe."""
    send = Transport.send

    def play(reply: Callable[[Request], TransportResult]) -> None:
        def play_reply(transport: Transport, request: Request) -> TransportResult:
            described = isinstance(request.endpoint, CustomEndpoint)
            return reply(request) if described else send(transport, request)

        monkeypatch.setattr(Transport, "send", play_reply)

    return play


@pytest.fixture
def play_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], None]:
    """Return what lets a test change each document with profiles that Klaviyo shows."""
    send = Transport.send

    def play(change: Callable[[Any], Any]) -> None:
        def play_reply(transport: Transport, request: Request) -> TransportResult:
            reply = send(transport, request)
            if request.endpoint is not Endpoint.PROFILES or not isinstance(reply, Response):
                return reply
            return replace(reply, content=json.dumps(change(json.loads(reply.content))).encode())

        monkeypatch.setattr(Transport, "send", play_reply)

    return play


@pytest.fixture
def die_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[Endpoint], None]:
    """Return what lets the process die after the next request to an endpoint was carried out."""
    send = Transport.send

    def plan_death(endpoint: Endpoint) -> None:
        def die(transport: Transport, request: Request) -> TransportResult:
            reply = send(transport, request)
            if request.endpoint is endpoint:
                monkeypatch.setattr(Transport, "send", send)
                raise Interrupted
            return reply

        monkeypatch.setattr(Transport, "send", die)

    return plan_death
