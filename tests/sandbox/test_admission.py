from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import requests

from reverse_etl.sandbox import Sandbox
from tests.sandbox.caller import HEADERS, JOBS, Caller, import_body, people, pointers, row

OPT_OUT = "X-Klaviyo-Revision-Fall-Forward-Opt-Out"
LIST = {"data": {"type": "list", "attributes": {"name": "VIP"}}}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": None}, 401, "authentication_failed"),
        ({"Authorization": "Bearer token"}, 401, "authentication_failed"),
        ({"Authorization": "Klaviyo-API-Key "}, 401, "authentication_failed"),
        ({"revision": None}, 400, "invalid"),
        ({"revision": "yesterday"}, 400, "invalid"),
        ({"revision": "2026-13-15"}, 400, "invalid"),
        ({"revision": "2024-10-15", OPT_OUT: "1"}, 410, "gone"),
        ({"revision": "2023-02-22.pre", OPT_OUT: "1"}, 410, "gone"),
        ({"Content-Type": "text/plain"}, 415, "invalid"),
        ({"Content-Type": None}, 415, "invalid"),
        ({"Content-Encoding": "gzip"}, 415, "invalid"),
    ],
)
def test_a_request_without_the_right_headers_is_refused_and_changes_nothing(
    caller: Caller, headers: dict[str, str | None], status: int, code: str
) -> None:
    """Key, revision and form are checked before the body is."""
    reply = caller.ask("POST", "/api/lists", data=json.dumps(LIST), headers=headers)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (status, code)
    assert caller.sandbox.lists() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"revision": "2024-10-15"},
        {"revision": "2024-10-15", OPT_OUT: "0"},
        {"revision": "2025-01-15", OPT_OUT: "1"},
        {"revision": "2026-10-15.pre", OPT_OUT: "1"},
    ],
)
def test_a_retired_revision_falls_forward_unless_the_request_opts_out(
    caller: Caller, headers: dict[str, str]
) -> None:
    """A request of 2024 gets the reply of the oldest revision that is left."""
    assert caller.ask("GET", "/api/lists", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "form", ["application/vnd.api+json", "application/json", "application/json; charset=utf-8"]
)
def test_both_json_content_types_are_accepted(caller: Caller, form: str) -> None:
    assert caller.ask("POST", "/api/lists", json=LIST, headers={"Content-Type": form}).status_code == 201


@pytest.mark.parametrize(("key", "status"), [("right", 200), ("wrong", 401)])
def test_a_sandbox_with_a_key_accepts_no_other_key(key: str, status: int) -> None:
    with Sandbox(None, key="right") as sandbox:
        headers = {**HEADERS, "Authorization": f"Klaviyo-API-Key {key}"}
        assert (
            requests.get(f"{sandbox.origin}/api/accounts", headers=headers, timeout=5).status_code == status
        )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/segments", 404),
        ("PUT", "/api/lists", 405),
        ("GET", "/api/lists/", 200),
        ("GET", "/api/lists/nobody", 404),
        ("GET", "/api/profiles/nobody", 404),
        ("GET", f"{JOBS}/nobody", 404),
        ("GET", f"{JOBS}/nobody/import-errors", 404),
        ("GET", "/api/lists?page[sise]=3", 400),
        ("GET", "/api/lists?filter=" + "x" * 20_000, 414),
    ],
)
def test_addresses(caller: Caller, method: str, path: str, status: int) -> None:
    reply = caller.ask(method, path)
    assert reply.status_code == status
    assert "errors" in reply.json() or status == 200


def test_a_body_over_five_million_bytes_is_refused(caller: Caller) -> None:
    """5,000,000 bytes pass, one more does not; packing does not help."""
    body = json.dumps(import_body([row(email="a@example.com", properties={"x": "y" * 90_000})] * 50)).encode()
    full = body + b" " * (5_000_000 - len(body))
    assert caller.ask("POST", JOBS, data=full).status_code == 202
    assert caller.ask("POST", JOBS, data=full + b" ").status_code == 413
    packed = gzip.compress(full)
    assert caller.ask("POST", JOBS, data=packed, headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(("length", "status"), [(99_000, 202), (100_100, 400)])
def test_a_profile_has_at_most_a_hundred_thousand_bytes(caller: Caller, length: int, status: int) -> None:
    reply = caller.start_import([*people(2), row(email="big@example.com", properties={"x": "y" * length})])
    assert reply.status_code == status
    assert status == 202 or pointers(reply) == ["/data/attributes/profiles/data/2"]


def test_a_body_that_is_not_json_is_refused(caller: Caller) -> None:
    reply = caller.ask("POST", JOBS, data=b'{"data": ')
    assert (reply.status_code, pointers(reply)) == (400, ["/data"])


def test_an_error_has_the_form_of_klaviyos(caller: Caller) -> None:
    """Each error has an id of its own, a status, a code, a title, a detail and a source."""
    reply = caller.ask("GET", "/api/lists/nobody")
    (error,) = reply.json()["errors"]
    assert error.keys() == {"id", "status", "code", "title", "detail", "source", "links", "meta"}
    assert (error["status"], error["code"]) == (404, "not_found")
    assert reply.headers["Content-Type"] == "application/vnd.api+json"


def test_one_connection_carries_many_requests(caller: Caller) -> None:
    ports = set()
    for _ in range(5):
        with caller.ask("POST", "/api/lists", json=LIST, stream=True) as reply:
            connection: Any = reply.raw.connection
            ports.add(connection.sock.getsockname()[1])
            reply.content  # noqa: B018 - a connection is free again once its reply was read
    assert len(ports) == 1


def test_a_chunked_body_is_read_whole(caller: Caller) -> None:
    """A client that streams its body is understood, and so is its next request on that connection."""
    body = json.dumps(import_body(people(3))).encode()
    reply = caller.ask("POST", JOBS, data=iter([body[:40], body[40:]]))
    assert reply.status_code == 202
    assert caller.get(f"{JOBS}/{reply.json()['data']['id']}")["data"]["attributes"]["total_count"] == 3


def test_the_account_has_its_id(caller: Caller, sandbox: Sandbox) -> None:
    (account,) = caller.get("/api/accounts")["data"]
    assert (account["id"], account["attributes"]["test_account"]) == (sandbox.account_id, True)
    assert caller.get(f"/api/accounts/{sandbox.account_id}")["data"] == account


def test_a_stopped_sandbox_closes_its_connections() -> None:
    sandbox = Sandbox(None)
    sandbox.start()
    caller = Caller(sandbox)
    url = f"{sandbox.origin}/api/lists"
    with caller.session as session:
        assert session.get(url, timeout=5).status_code == 200
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=5)
