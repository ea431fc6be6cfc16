"""Faults of replies, and of jobs that are never proved: each is like an answer that a client may get."""

from __future__ import annotations

import time

import pytest
import requests

from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from tests.sandbox.caller import JOBS, Caller, people, row


def start(caller: Caller, rows: int = 2) -> str:
    """Import people; return the address of the job."""
    return f"{JOBS}/{caller.start_import(people(rows)).json()['data']['id']}"


def test_an_import_error_can_lack_its_id(caller: Caller, sandbox: Sandbox) -> None:
    """Once; its attributes are the same. The pointer's star is each of the errors."""
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="u"))
    address = f"{start(caller)}/import-errors"
    sandbox.add_fault(Fault(FaultKind.OMIT, path="*import-errors", field="/data/*/id"))
    first, second = caller.get(address)["data"], caller.get(address)["data"]
    assert [sorted(error) for error in first] == [["attributes", "type"]] * 2
    assert [error | {"id": other["id"]} for error, other in zip(first, second, strict=True)] == second
    assert sandbox.log()[-2].fault == "omit"


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "paused"), ("status", None), ("completed_count", -1), ("total_count", 1e9)],
)
def test_a_job_can_have_an_unknown_status_or_counts_that_cannot_be(
    caller: Caller, sandbox: Sandbox, field: str, value: object
) -> None:
    """Once, in the reply alone."""
    address = start(caller)
    before = caller.get(address)
    pointer = f"/data/attributes/{field}"
    sandbox.add_fault(Fault(FaultKind.SET, path=f"{JOBS}/*", field=pointer, value=value))
    assert caller.get(address)["data"]["attributes"][field] == value
    assert caller.get(address) == before


@pytest.mark.parametrize("field", ["/nothing/here", "/data/*/id", "/data", "*"])
def test_a_member_that_a_reply_lacks_cannot_be_omitted(caller: Caller, sandbox: Sandbox, field: str) -> None:
    """A pointer into another kind of document changes nothing, and fails no request."""
    sandbox.add_fault(Fault(FaultKind.OMIT, field=field, times=None))
    assert caller.ask("GET", "/api/lists/none").status_code == 404
    assert caller.ask("POST", "/api/lists", json={"data": 1}).status_code == 400


def test_a_stalled_job_never_ends(caller: Caller, sandbox: Sandbox) -> None:
    """It stays `processing`, and its rows are nowhere; a later job is done."""
    sandbox.add_fault(Fault(FaultKind.STALL))
    stalled = start(caller)
    sandbox.finish_jobs()
    assert caller.get(stalled)["data"]["attributes"]["status"] == "processing"
    assert sandbox.profile_count() == 0
    assert caller.get(start(caller, 3))["data"]["attributes"]["status"] == "complete"
    assert sandbox.profile_count() == 3


def test_a_forgotten_job_is_unknown_and_its_rows_are_applied(caller: Caller, sandbox: Sandbox) -> None:
    """At once with `seconds` 0; neither the job nor its errors can be read."""
    sandbox.add_fault(Fault(FaultKind.FORGET, seconds=0))
    address = start(caller)
    assert [caller.ask("GET", address + part).status_code for part in ("", "/import-errors")] == [404, 404]
    assert caller.get(JOBS)["data"] == []
    assert sandbox.profile_count() == 2


def test_a_request_with_too_many_rows_is_too_large(caller: Caller, sandbox: Sandbox) -> None:
    """413 for more than `rows`, as often as asked; halves pass."""
    sandbox.add_fault(Fault(FaultKind.TOO_LARGE, rows=2, times=None))
    assert caller.start_import(people(3)).status_code == 413
    assert caller.start_import(people(5)).status_code == 413
    assert caller.start_import(people(2)).status_code == 202
    assert sandbox.profile_count() == 2


def test_a_refusal_can_point_at_no_row(caller: Caller, sandbox: Sandbox) -> None:
    """A client has to bisect to find the row: requests without it pass."""
    sandbox.add_fault(Fault(FaultKind.INVALID_REQUEST, pattern="^u1@", times=None, code="odd"))
    reply = caller.start_import(people(3))
    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["code"], error["source"]) == (400, "odd", {})
    assert caller.start_import(people(1)).status_code == 202
    assert caller.start_import(people(1, start=1)).status_code == 400


def test_an_endless_collection_always_has_another_page(caller: Caller, sandbox: Sandbox) -> None:
    """Each page is the first one again, at an address of its own; cleared, the pages end."""
    caller.run_import([row(email="ann@example.com")])
    sandbox.add_fault(Fault(FaultKind.ENDLESS, method="GET", times=None))
    seen, address = set(), "/api/profiles"
    for _ in range(20):
        body = caller.get(address)
        assert len(body["data"]) == 1
        address = body["links"]["next"].removeprefix(sandbox.origin)
        seen.add(address)
    assert len(seen) == 20
    sandbox.clear_faults()
    assert caller.get("/api/profiles")["links"]["next"] is None


def test_a_dripping_reply_comes_byte_by_byte(caller: Caller, sandbox: Sandbox) -> None:
    """It is complete in the end, and has no other content; a reader that waits for each byte waits long."""
    whole = caller.ask("GET", "/api/lists").content
    sandbox.add_fault(Fault(FaultKind.DRIP, seconds=0.01))
    started = time.monotonic()
    assert caller.ask("GET", "/api/lists").content == whole
    assert time.monotonic() - started >= 0.01 * len(whole)


def test_a_client_can_leave_a_dripping_reply(caller: Caller, sandbox: Sandbox) -> None:
    """Others are answered meanwhile and afterwards."""
    sandbox.add_fault(Fault(FaultKind.DRIP, seconds=0.05))
    with requests.get(
        f"{sandbox.origin}/api/lists", headers=caller.session.headers, stream=True, timeout=5
    ) as reply:
        assert reply.raw.read(1) == b"{"
    assert caller.ask("GET", "/api/lists").status_code == 200


def test_a_flood_unpacks_to_far_more_than_it_sends(caller: Caller, sandbox: Sandbox) -> None:
    """Two megabytes of blanks come as a few thousand bytes."""
    sandbox.add_fault(Fault(FaultKind.FLOOD, rows=2))
    reply = caller.ask("GET", "/api/lists")
    assert int(reply.headers["Content-Length"]) < 10_000
    assert (len(reply.content), reply.content.strip()) == (2_000_000, b"")
