"""Rows that change, leave, come back or get lost, and the requests that each of them makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import RemoveProgress, SendProgress
from reverse_etl.klaviyo.messages import Response, TransportError
from reverse_etl.planning.plan_options import PlanOptions
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from tests.core.world import World

DONE = Response(204, {}, b"")
CREATE: dict[str, Any] = {
    "method": "POST",
    "path": "/api/things",
    "body": '{"id": {{ id }}, "price": {{ price }}, "note": {{ note }}}',
    "repeat": "safe",
}
CHANGE: dict[str, Any] = {**CREATE, "method": "PATCH", "path": "/api/things/{{ id }}"}
REMOVE: dict[str, Any] = {"method": "DELETE", "path": "/api/things/{{ id }}", "body": '{"id": {{ id }}}'}

Row = tuple[int, str | None, str | None]


class Things:
    """Klaviyo's things: what was sent, and how each request is answered."""

    def __init__(self, world: World, play_replies: Any) -> None:
        self.world = world
        self.sent: list[tuple[str, Any]] = []
        self.answers: list[TransportResult] = []
        play_replies(self.reply)

    def reply(self, request: Request) -> TransportResult:
        """Note a request, and return the next answer."""
        self.sent.append((request.endpoint.method, json.loads(request.body or b"null")))
        return self.answers.pop(0) if self.answers else DONE

    def become(self, *rows: Row, **settings: Any) -> None:
        """Let the model have these rows."""
        self.world.people(
            [dict(zip(("id", "price", "note"), row, strict=True)) for row in rows],
            "things",
            "id BIGINT, price DECIMAL(9, 2), note JSON",
        )
        settings = {"request": CREATE, "min_rows": 0} | settings
        select = "select id, price, note from things"
        self.world.model("things", select, surface="request", unique_key=["id"], **settings)

    def run(self, **options: Any) -> dict[Outcome, int]:
        """Run, and return the outcomes."""
        return dict(only_list(self.world.run(options=PlanOptions(**options))).outcomes)

    def requests(self) -> list[tuple[str, Any]]:
        """Return what was sent since the last call."""
        sent, self.sent = self.sent, []
        return sent

    def methods(self) -> list[str]:
        """Return the methods of what was sent since the last call."""
        return [method for method, _ in self.requests()]


@pytest.fixture
def things(world: World, play_replies: Any) -> Things:
    """Return things."""
    return Things(world, play_replies)


def test_a_value_that_becomes_null_is_sent(things: Things) -> None:
    """A template prints null: it is a value like any other, and sent once."""
    things.become((1, "9.50", '{"a": 1}'))
    things.run()
    assert things.requests() == [("POST", {"id": 1, "price": 9.5, "note": {"a": 1}})]
    things.become((1, None, None))
    assert things.run() == {Outcome.APPLIED: 1}
    assert things.requests() == [("POST", {"id": 1, "price": None, "note": None})]
    assert things.run() == {}
    things.become((1, "9.50", None))
    assert things.run() == {Outcome.APPLIED: 1}
    assert things.run() == {}


def test_a_row_that_leaves_is_named_as_it_was_sent(things: Things) -> None:
    """Its key is a number again, though the state keeps it as text."""
    things.become((1, None, None), (2, None, None), on_remove=REMOVE)
    things.run()
    things.requests()
    things.become((2, None, None), on_remove=REMOVE)
    assert things.run() == {Outcome.REMOVED: 1}
    assert things.requests() == [("DELETE", {"id": 1})]
    things.become((1, None, None), (2, None, None), on_remove=REMOVE)
    assert things.run() == {Outcome.APPLIED: 1}
    assert things.methods() == ["POST"]


def test_a_removal_that_must_not_be_repeated_is_not_sent_again(things: Things) -> None:
    """After a lost reply it is held until `retry --unknown`; a row that comes back is sent."""
    once = {**REMOVE, "repeat": "once"}
    things.become((1, None, None), (2, None, None), on_remove=once)
    things.run()
    things.become(on_remove=once)
    things.requests()
    things.answers = [TransportError.CONNECTION_LOST]
    assert things.run()[Outcome.UNKNOWN] == 1
    sent = len(things.requests())
    assert things.run().get(Outcome.UNKNOWN) is None
    assert sent + len(things.requests()) == 2
    assert things.run() == {}
    assert only_list(things.world.run()).list_plan.held_at_plan == 1
    assert things.world.project().retry(unknown=True) == {"things": 1}
    assert things.run() == {Outcome.REMOVED: 1}
    assert things.run() == {}
    things.become((1, None, None), on_remove=once)
    assert things.run() == {Outcome.APPLIED: 1}


@pytest.mark.parametrize("repeats", [("safe", "once"), ("once", "safe")])
def test_a_change_or_a_new_row_that_must_not_be_repeated_is_not_sent_again(
    things: Things, repeats: Iterable[str]
) -> None:
    """If only one of the two requests is sent once, neither is repeated: Klaviyo may choose the other."""
    new, changed = repeats
    settings = {"request": {**CREATE, "repeat": new}, "on_update": {**CHANGE, "repeat": changed}}
    things.become((1, "1", None), **settings)
    if changed == "once":
        things.run()
        things.become((1, "2", None), **settings)
    things.requests()
    things.answers = [TransportError.CONNECTION_LOST]
    assert things.run() == {Outcome.UNKNOWN: 1}
    assert things.run() == {}
    assert len(things.requests()) == 1
    assert things.world.project().retry(unknown=True) == {"things": 1}
    assert things.run() == {Outcome.APPLIED: 1}
    assert things.run() == {}


@pytest.mark.parametrize("event", [SendProgress, RemoveProgress])
def test_after_a_kill_no_row_is_sent_twice(things: Things, event: type) -> None:
    """Neither a new row nor a removal, if either is sent once."""
    settings = {"request": {**CREATE, "repeat": "once"}, "on_remove": {**REMOVE, "repeat": "once"}}
    rows: list[Row] = [(number, None, None) for number in range(10)]
    things.become(*rows, **settings)
    if event is RemoveProgress:
        things.run()
        things.become(**settings)
        things.requests()

    def is_second(told: Any) -> bool:
        return isinstance(told, event) and told.rows >= 2  # type: ignore[attr-defined]

    assert things.world.dies(is_second)
    things.run()
    things.run()
    ids = [body["id"] for _, body in things.requests()]
    assert len(ids) == len(set(ids))
    things.world.project().retry(unknown=True)
    things.run()
    assert {*ids, *(body["id"] for _, body in things.requests())} == set(range(10))


def test_two_requests_that_choose_each_other_are_each_sent_once(things: Things) -> None:
    """A row that neither exists nor can be created is rejected."""
    refusals = {
        status: Response(
            status,
            {"content-type": "application/json"},
            b'{"errors": [{"code": "x", "detail": "No.", "source": {}}]}',
        )
        for status in (404, 409)
    }
    settings = {
        "request": {**CREATE, "on_conflict": "update"},
        "on_update": {**CHANGE, "on_not_found": "create"},
    }
    things.become((1, None, None), **settings)
    things.answers = [refusals[409], refusals[404]]
    assert things.run() == {Outcome.REJECTED: 1}
    assert things.methods() == ["POST", "PATCH"]
    assert things.run() == {}
