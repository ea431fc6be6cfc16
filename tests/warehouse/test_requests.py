"""Requests that models describe, on every warehouse: new, changed, leaving and unknown rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.endpoints import CustomEndpoint
from reverse_etl.klaviyo.messages import Request, Response, TransportError, TransportResult
from reverse_etl.klaviyo.transport import Transport
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

BODY = '{"id": {{ id }}, "code": {{ code }}, "price": {{ price }}}'
REQUESTS: dict[str, Any] = {
    "request": {"method": "POST", "path": "/api/things", "body": BODY},
    "on_update": {"method": "PATCH", "path": "/api/things/{{ code }}", "body": BODY},
    "on_remove": {
        "method": "DELETE",
        "path": "/api/things/{{ code }}",
        "body": '{"id": {{ id }}, "code": {{ code }}}',
        "repeat": "once",
    },
}


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse."""
    return make_world(warehouse=request.param)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Return the method and document of the requests of models. One about a lost code gets no reply."""
    bodies: list[tuple[str, Any]] = []
    send = Transport.send

    def reply(transport: Transport, request: Request) -> TransportResult:
        if not isinstance(request.endpoint, CustomEndpoint):
            return send(transport, request)
        document = json.loads(request.body or b"")
        bodies.append((request.endpoint.method, document))
        return TransportError.CONNECTION_LOST if "lost" in document["code"] else Response(204, {}, b"")

    monkeypatch.setattr(Transport, "send", reply)
    return bodies


def run(shop: World, sent: list[Any], *rows: tuple[int, str, str | None]) -> tuple[Any, list[Any]]:
    """Run with these rows; return the outcomes and what was sent."""
    shop.people(
        [dict(zip(("id", "code", "price"), row, strict=True)) for row in rows],
        "things",
        "id INTEGER, code VARCHAR, price DECIMAL(9, 2)",
    )
    select = "select id, code, price from things"
    shop.model("things", select, surface="request", unique_key=["id", "code"], min_rows=0, **REQUESTS)
    sent.clear()
    return only_list(shop.run()).outcomes, sorted(sent, key=lambda entry: str(entry[1]["id"]))


def test_each_row_is_sent_by_the_request_of_its_change(shop: World, sent: list[Any]) -> None:
    """Numbers are numbers and a NULL is a value, in new, changed and leaving rows alike."""
    a, b = {"id": 1, "code": "a|b%", "price": 9.5}, {"id": 2, "code": "b", "price": 3}
    outcomes, requests = run(shop, sent, (1, "a|b%", "9.50"), (2, "b", "3"))
    assert (outcomes, requests) == ({Outcome.APPLIED: 2}, [("POST", a), ("POST", b)])
    outcomes, requests = run(shop, sent, (1, "a|b%", None), (3, "c", None))
    assert outcomes == {Outcome.APPLIED: 2, Outcome.REMOVED: 1}
    assert requests == [
        ("PATCH", a | {"price": None}),
        ("DELETE", {"id": 2, "code": "b"}),
        ("POST", {"id": 3, "code": "c", "price": None}),
    ]
    assert run(shop, sent, (1, "a|b%", None), (3, "c", None)) == ({}, [])


def test_unknown_rows_are_not_sent_again_until_it_is_asked_for(shop: World, sent: list[Any]) -> None:
    """Neither a new row nor a removal."""
    outcomes, _ = run(shop, sent, (1, "lost", None))
    assert outcomes == {Outcome.UNKNOWN: 1}
    assert run(shop, sent, (1, "lost", None)) == ({}, [])
    assert only_list(shop.run()).list_plan.check_rejections[0].rows == 1
    outcomes, requests = run(shop, sent)
    assert outcomes == {Outcome.UNKNOWN: 1}
    assert requests == [("DELETE", {"id": 1, "code": "lost"})]
    assert run(shop, sent)[1] == []
    assert only_list(shop.run()).list_plan.held_at_plan == 1
    assert shop.project().retry(unknown=True) == {"things": 1}
    assert run(shop, sent)[1] == [("DELETE", {"id": 1, "code": "lost"})]
