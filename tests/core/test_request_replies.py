"""The proof that a reply to a model's request gives, however odd it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.messages import Response
from tests.core.world import one

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from tests.core.world import World

JSON = {"content-type": "application/vnd.api+json"}
HTML = {"content-type": "text/html"}
PAGE = b"<html>Too busy.</html>"


def rows(world: World, *names: str, **request: Any) -> None:
    """Let a model send these names, many a request."""
    world.people([{"name": name} for name in names], "rows")
    request = {
        "method": "POST",
        "path": "/api/things",
        "mode": "many",
        "body": '{"data": {{ rows }}}',
        "row": '{"name": {{ name }}}',
        **request,
    }
    world.model("rows", "select name from rows", surface="request", unique_key=["name"], request=request)


def refusal(status: int, *errors: tuple[str, str], detail: str = "No.") -> Response:
    """Return a refusal with a code and a pointer for each error."""
    members = [{"code": code, "detail": detail, "source": {"pointer": pointer}} for code, pointer in errors]
    return Response(status, JSON, json.dumps({"errors": members}).encode())


@pytest.fixture
def replies(play_replies: Any) -> Callable[[Callable[[list[str]], Response]], list[list[str]]]:
    """Let Klaviyo reply to the names of each request as a test says; return the names of each request."""

    def play(reply: Callable[[list[str]], Response]) -> list[list[str]]:
        sent: list[list[str]] = []

        def play_reply(request: Request) -> TransportResult:
            names = [row["name"] for row in json.loads(request.body or b"")["data"]]
            sent.append(names)
            return reply(names)

        play_replies(play_reply)
        return sent

    return play


@pytest.mark.parametrize(
    "reply",
    [
        Response(200, HTML, PAGE),
        Response(200, JSON, b"[]"),
        Response(200, JSON, b'{"errors": []}'),
        Response(200, JSON, b'{"data": '),
        Response(206, JSON, b'{"data": {}}'),
        Response(201, {}, b"ok"),
    ],
)
@pytest.mark.parametrize("repeat", ["once", "safe"])
def test_a_success_that_proves_nothing_leaves_the_rows_unknown(
    world: World, replies: Any, reply: Response, repeat: str
) -> None:
    """The list stops; a request that must not be repeated is not sent by the next run either."""
    rows(world, "a", "b", repeat=repeat)
    sent = replies(lambda _: reply)
    result = world.run()
    assert one(result).outcomes == {Outcome.UNKNOWN: 2}
    assert one(result).stop_reason
    world.run()
    assert len(sent) == (1 if repeat == "once" else 2)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_without_content_is_proof(world: World, replies: Any, status: int) -> None:
    """Klaviyo's bulk endpoints reply so."""
    rows(world, "a", "b")
    replies(lambda _: Response(status, {}, b""))
    assert one(world.run()).outcomes == {Outcome.APPLIED: 2}


@pytest.mark.parametrize("page", [Response(413, HTML, PAGE), refusal(413, ("too_large", ""))])
def test_a_request_that_is_too_large_for_klaviyo_or_a_proxy_is_halved(
    world: World, replies: Any, page: Response
) -> None:
    """Down to the row that is too large alone."""
    rows(world, "a", "b", "c", "huge")
    sent = replies(lambda names: page if "huge" in names or len(names) > 2 else Response(204, {}, b""))
    assert one(world.run()).outcomes == {Outcome.APPLIED: 3, Outcome.REJECTED: 1}
    assert sent[:2] == [["a", "b", "c", "huge"], ["a", "b"]]


@pytest.mark.parametrize(
    "pointer",
    ["/data/3/name", "/data/999999999", "/data/-1", "/data/x", "/included/0/name", "", "/data", "/data/0x"],
)
def test_a_pointer_at_no_row_of_the_request_is_not_believed(world: World, replies: Any, pointer: str) -> None:
    """The request is halved until the row is alone."""
    rows(world, "a", "bad", "c")
    replies(lambda names: refusal(400, ("invalid", pointer)) if "bad" in names else Response(204, {}, b""))
    result = world.run()
    assert one(result).outcomes == {Outcome.APPLIED: 2, Outcome.REJECTED: 1}
    (rejection,) = world.project().status().lists[0].rejections
    assert rejection.example == "key:bad"


@pytest.mark.parametrize(("status", "setting"), [(404, "on_not_found"), (409, "on_conflict")])
def test_a_refusal_that_means_applied_is_of_single_rows_alone(
    world: World, replies: Any, status: int, setting: str
) -> None:
    """One row of many that exists says nothing of the others: each is sent."""
    rows(world, "a", "known", "c", **{setting: "applied"})
    sent = replies(lambda names: refusal(status, ("x", "")) if "known" in names else Response(204, {}, b""))
    assert one(world.run()).outcomes == {Outcome.APPLIED: 3}
    assert sorted(name for names in sent for name in names if len(names) == 1) == ["a", "c", "known"]


STATUSES = (400, 404, 409, 413, 422)
BAD_ROWS = [
    *(("many", status, "") for status in STATUSES),
    *(("many", status, "/data/{}/name") for status in (400, 404, 409)),
    *((mode, status, "") for mode in ("one", "grouped") for status in STATUSES[:3]),
]


def test_a_row_never_fails_another_row_of_its_request(world: World, play_replies: Any) -> None:
    """Whatever the mode, the status and the pointer; nor does it fail rows of other requests."""
    applied: list[str] = []

    def reply(request: Request) -> TransportResult:
        data = json.loads(request.body or b"")["data"]
        names = [row["name"] for row in (data if isinstance(data, list) else [data])]
        bad = [index for index, name in enumerate(names) if name.startswith("bad")]
        if bad:
            return refusal(status, ("invalid", pointer.format(bad[0])))
        applied.extend(names)
        return Response(204, {}, b"")

    play_replies(reply)
    for number, (mode, status, pointer) in enumerate(BAD_ROWS):
        names = [f"{name}{number}" for name in ("a", "b", "bad", "c", "d", "e")]
        world.people([{"name": name, "kind": f"k{index // 4}"} for index, name in enumerate(names)], "rows")
        request = {"method": "POST", "path": "/api/things", "mode": mode, "body": '{"data": {{ rows }}}'}
        request["row"] = '{"name": {{ name }}}'
        if mode == "grouped":
            request["path"] = "/api/things/{{ kind }}"
        if mode == "one":
            request["body"] = '{"data": {"name": {{ name }}}}'
            del request["row"]
        select, key = "select name, kind from rows", ["name", "kind"]
        world.model(mode, select, surface="request", unique_key=key, request=request)
        applied.clear()
        result = one(world.run(select=[mode]))
        case = (mode, status, pointer)
        assert (result.outcomes[Outcome.APPLIED], result.outcomes[Outcome.REJECTED]) == (5, 1), case
        assert sorted(applied) == [name for name in sorted(names) if not name.startswith("bad")], case


def test_an_error_of_klaviyo_about_a_row_is_stored_short_and_masked(world: World, replies: Any) -> None:
    """Its texts go into the state, and may repeat the request."""
    rows(world, "a")
    pointer = "/data/attributes/ann@example.com"
    detail = "ann@example.com is not valid. " + "x" * 100_000
    replies(lambda _: refusal(400, ("c" * 1_000, pointer + "y" * 1_000), detail=detail))
    assert one(world.run()).outcomes == {Outcome.REJECTED: 1}
    (rejection,) = world.project().status().lists[0].rejections
    assert len(rejection.reason.code) <= 100
    assert len(rejection.reason.field) <= 200
    assert len(rejection.reason.detail) <= 1_000
    assert "ann@" not in repr(rejection)


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422, 302])
def test_the_page_of_a_proxy_refuses_no_row(world: World, replies: Any, status: int) -> None:
    """The list stops, and the next run sends the rows."""
    rows(world, "a", "b", on_conflict="applied")
    replies(lambda _: Response(status, HTML, PAGE))
    assert one(world.run()).outcomes == {Outcome.NOT_SENT: 2}
    replies(lambda _: Response(204, {}, b""))
    assert one(world.run()).outcomes == {Outcome.APPLIED: 2}
