from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from tests.page_structure import parse_page
from tests.sandbox.caller import Caller, people, row

if TYPE_CHECKING:
    from typing import Any


def test_the_log_shows_the_requests(caller: Caller, sandbox: Sandbox) -> None:
    vip = caller.make_list("VIP")
    start = sandbox.now()
    caller.start_import(people(3), vip)
    caller.ask(
        "GET",
        f"/api/lists/{vip}/profiles",
        params={"filter": 'equals(email,"u1@example.com")', "page[size]": "7"},
    )
    caller.edit("DELETE", vip, "01NOBODY")
    caller.ask("GET", "/api/nowhere")
    first, *log = sandbox.log()
    assert [(request.method, request.path, request.status, request.rows) for request in log] == [
        ("POST", "/api/profile-bulk-import-jobs", 202, 3),
        ("GET", f"/api/lists/{vip}/profiles", 200, 0),
        ("DELETE", f"/api/lists/{vip}/relationships/profiles", 404, 1),
        ("GET", "/api/nowhere", 404, 0),
    ]
    assert log[0].bytes > 100
    assert log[1].query == 'filter=equals(email,"u1@example.com")&page[size]=7'
    assert all(start <= request.received_at <= sandbox.now() for request in log)
    assert sandbox.log(after=first.number) == log
    over_http = requests.get(
        f"{sandbox.origin}/sandbox/log", params={"after": first.number}, timeout=5
    ).json()["data"]
    assert [request["number"] for request in over_http] == [request.number for request in log]
    sandbox.clear_log()
    assert sandbox.log() == []


def test_the_state_is_seen_from_python_and_over_http(caller: Caller, sandbox: Sandbox) -> None:
    vip = caller.make_list("VIP / gold")
    caller.run_import([row(email="ann@example.com", first_name="Ann", properties={"n": 1})], vip)
    (member,) = sandbox.members("VIP / gold")
    assert (member["email"], member["first_name"], member["properties"], member["phone_number"]) == (
        "ann@example.com",
        "Ann",
        {"n": 1},
        None,
    )
    assert sandbox.members(vip) == [member]

    def seen(path: str) -> Any:
        return requests.get(f"{sandbox.origin}/sandbox/{path}", timeout=5).json()["data"]

    assert seen("lists") == sandbox.lists()
    assert seen("lists/VIP / gold/members") == [member]
    assert seen("profiles") == sandbox.profiles()


def test_a_missing_or_ambiguous_list_is_an_error(caller: Caller, sandbox: Sandbox) -> None:
    """A wrong name in a test must not look like an empty list."""
    caller.make_list("VIP")
    caller.make_list("twice")
    caller.make_list("twice")
    for name in ("vip", "twice"):
        with pytest.raises(UsageError):
            sandbox.members(name)
        reply = requests.get(f"{sandbox.origin}/sandbox/lists/{name}/members", timeout=5)
        assert (reply.status_code, "'VIP'" in reply.json()["error"]) == (400, True)


def test_open_jobs_are_ended_over_http() -> None:
    with Sandbox(None, job_seconds=3600) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            caller.start_import(people(3))
        assert sandbox.profile_count() == 0
        assert requests.post(f"{sandbox.origin}/sandbox/jobs/finish", timeout=5).status_code == 200
        assert sandbox.profile_count() == 3


def test_the_page_shows_the_content_of_the_sandbox(caller: Caller, sandbox: Sandbox) -> None:
    """Lists, profiles, jobs, requests and faults, each text escaped; nothing is fetched from elsewhere."""
    assert "No lists yet" in requests.get(sandbox.origin, timeout=5).text
    vip = caller.make_list("<b>VIP</b> & co")
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^u2@"))
    caller.run_import(
        [*people(1200), row(email="ann@example.com", first_name="<i>Ann</i>", external_id="17")], vip
    )
    sandbox.add_fault(Fault(FaultKind.SLOW, path="/api/profiles*"))
    reply = requests.get(sandbox.origin, timeout=5)
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in (
        "&lt;b&gt;VIP&lt;/b&gt; &amp; co",
        "1,200",
        "ann@example.com",
        "&lt;i&gt;Ann&lt;/i&gt;",
        "complete",
        sandbox.account_id,
    ):
        assert text in reply.text
    assert "/api/profile-bulk-import-jobs" in reply.text
    assert "slow" in reply.text
    assert not re.search(r"src=|url\(|https?:|<b>VIP", reply.text)
    links = {each.attributes["href"] for each in parse_page(reply.text).all("a")}
    assert {each[0] for each in links} == {"/", "#"}


def test_control_requests_are_not_logged(sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault(FaultKind.STATUS, times=None))
    for path in ("/", "/sandbox/lists", "/sandbox/profiles", "/sandbox/log", "/sandbox/faults"):
        assert requests.get(sandbox.origin + path, timeout=5).status_code == 200
    assert sandbox.log() == []


def test_a_wrong_control_address_is_an_error(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.origin}/sandbox/nothing", timeout=5).status_code == 404
    assert requests.post(f"{sandbox.origin}/sandbox/faults", data="x", timeout=5).status_code == 415
