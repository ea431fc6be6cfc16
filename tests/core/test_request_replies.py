"""The proof that a reply to a model's request gives, however odd it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.messages import Response
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from tests.core.world import World

JSON = {"content-type": "application/vnd.api+json"}
HTML = {"content-type": "text/html"}
PAGE = b"<html>Too busy.</html>"
DONE = Response(204, {}, b"")


def rows(world: World, *names: str, model: str = "rows", **request: Any) -> None:
    """Let a model send these names, many a request."""
    world.people([{"name": name} for name in names], model)
    request = {
        "method": "POST",
        "path": "/api/things",
        "mode": "many",
        "body": '{"data": {{ rows }}}',
        "row": '{"name": {{ name }}}',
        **request,
    }
    world.model(model, f"select name from {model}", surface="request", unique_key=["name"], request=request)


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


UNPROVED = [
    Response(200, HTML, PAGE),
    Response(200, JSON, b"[]"),
    Response(200, JSON, b'{"errors": []}'),
    Response(200, JSON, b'{"data": '),
    Response(206, JSON, b'{"data": {}}'),
    Response(201, {}, b"ok"),
]


def case_of(names: list[str]) -> int:
    """Return the number of a case, with which the names of its model begin."""
    return int(names[0].partition("-")[0])


def outcomes(world: World) -> dict[str, dict[Outcome, int]]:
    """Run, and return the outcomes of each model."""
    return {listed.model: listed.outcomes for listed in world.run().lists}


def test_a_success_that_proves_nothing_leaves_the_rows_unknown(world: World, replies: Any) -> None:
    """The list stops; a request that must not be repeated is not sent by the next run either."""
    repeats = ("once", "safe")
    for number in range(len(UNPROVED)):
        for repeat in repeats:
            names = [f"{number}-{repeat}-{name}" for name in "ab"]
            rows(world, *names, model=f"{repeat}{number}", repeat=repeat)
    sent = replies(lambda names: UNPROVED[case_of(names)])
    for listed in world.run().lists:
        assert listed.outcomes == {Outcome.UNKNOWN: 2}, listed.model
        assert listed.stop_reason, listed.model
    world.run()
    times = {
        (number, repeat): sum(names[0] == f"{number}-{repeat}-a" for names in sent)
        for number in range(len(UNPROVED))
        for repeat in repeats
    }
    assert times == {case: 1 if case[1] == "once" else 2 for case in times}


def test_a_success_without_content_is_proof(world: World, replies: Any) -> None:
    """Klaviyo's bulk endpoints reply so."""
    statuses = (200, 201, 204)
    for status in statuses:
        rows(world, f"{status}-a", f"{status}-b", model=f"m{status}")
    replies(lambda names: Response(case_of(names), {}, b""))
    assert outcomes(world) == {f"m{status}": {Outcome.APPLIED: 2} for status in statuses}


@pytest.mark.parametrize("page", [Response(413, HTML, PAGE), refusal(413, ("too_large", ""))])
def test_a_request_that_is_too_large_for_klaviyo_or_a_proxy_is_halved(
    world: World, replies: Any, page: Response
) -> None:
    """Down to the row that is too large alone."""
    rows(world, "a", "b", "c", "huge")
    sent = replies(lambda names: page if "huge" in names or len(names) > 2 else DONE)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 3, Outcome.REJECTED: 1}
    assert sent[:2] == [["a", "b", "c", "huge"], ["a", "b"]]


POINTERS = (
    "/data/3/name",
    "/data/999999999",
    "/data/-1",
    "/data/x",
    "/included/0/name",
    "",
    "/data",
    "/data/0x",
)


def test_a_pointer_at_no_row_of_the_request_is_not_believed(world: World, replies: Any) -> None:
    """The request is halved until the row is alone."""
    for number in range(len(POINTERS)):
        rows(world, *(f"{number}-{name}" for name in ("a", "bad", "c")), model=f"m{number}")

    def reply(names: list[str]) -> Response:
        number = case_of(names)
        return refusal(400, ("invalid", POINTERS[number])) if f"{number}-bad" in names else DONE

    replies(reply)
    expected = {Outcome.APPLIED: 2, Outcome.REJECTED: 1}
    assert outcomes(world) == {f"m{number}": expected for number in range(len(POINTERS))}
    for number, listed in enumerate(world.project().status().lists):
        (rejection,) = listed.rejections
        assert rejection.example == f"key:{number}-bad", POINTERS[number]


@pytest.mark.parametrize(("status", "setting"), [(404, "on_not_found"), (409, "on_conflict")])
def test_a_refusal_that_means_applied_is_of_single_rows_alone(
    world: World, replies: Any, status: int, setting: str
) -> None:
    """One row of many that exists says nothing of the others: each is sent."""
    rows(world, "a", "known", "c", **{setting: "applied"})
    sent = replies(lambda names: refusal(status, ("x", "")) if "known" in names else DONE)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 3}
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
        return DONE

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
        result = only_list(world.run(select=[mode]))
        case = (mode, status, pointer)
        assert (result.outcomes[Outcome.APPLIED], result.outcomes[Outcome.REJECTED]) == (5, 1), case
        assert sorted(applied) == [name for name in sorted(names) if not name.startswith("bad")], case


def test_an_error_of_klaviyo_about_a_row_is_stored_short_and_masked(world: World, replies: Any) -> None:
    """Its texts go into the state, and may repeat the request."""
    rows(world, "a")
    pointer = "/data/attributes/ann@example.com"
    detail = "ann@example.com is not valid. " + "x" * 100_000
    replies(lambda _: refusal(400, ("c" * 1_000, pointer + "y" * 1_000), detail=detail))
    assert only_list(world.run()).outcomes == {Outcome.REJECTED: 1}
    (rejection,) = world.project().status().lists[0].rejections
    assert len(rejection.reason.code) <= 100
    assert len(rejection.reason.field) <= 200
    assert len(rejection.reason.detail) <= 1_000
    assert "ann@" not in repr(rejection)


def test_the_page_of_a_proxy_refuses_no_row(world: World, replies: Any) -> None:
    """The list stops, and the next run sends the rows."""
    statuses = (400, 401, 403, 409, 422, 302)
    for status in statuses:
        rows(world, f"{status}-a", f"{status}-b", model=f"m{status}", on_conflict="applied")
    replies(lambda names: Response(case_of(names), HTML, PAGE))
    assert outcomes(world) == {f"m{status}": {Outcome.NOT_SENT: 2} for status in statuses}
    replies(lambda _: DONE)
    assert outcomes(world) == {f"m{status}": {Outcome.APPLIED: 2} for status in statuses}
