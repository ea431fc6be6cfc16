"""Suppressions by hand: jobs that lie, act late, and never touch the other reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.paths import SUPPRESS, UNSUPPRESS
from tests.sandbox.caller import Caller, people, pointers, row
from tests.sandbox.test_consent import marketing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

ROWS = "/data/attributes/profiles/data"
ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def clock() -> QuickClock:
    """Let time pass as the test says."""
    return QuickClock()


@pytest.fixture
def sandbox(clock: QuickClock) -> Iterator[Sandbox]:
    """Run a sandbox whose jobs end at once."""
    settings: Any = {"job_seconds": 0, "suppression_seconds": 0}
    with Sandbox(None, clock=clock, limits=False, **settings) as running:
        yield running


def send(caller: Caller, path: str, *rows: Any, **relationships: str) -> requests.Response:
    """Suppress or free rows, or the members of a list or a segment."""
    body: dict[str, Any] = {"type": path.removeprefix("/api/").removesuffix("s"), "attributes": {}}
    if rows:
        body["attributes"]["profiles"] = {"data": list(rows)}
    if relationships:
        body["relationships"] = {
            kind: {"data": {"type": kind, "id": resource_id}} for kind, resource_id in relationships.items()
        }
    return caller.ask("POST", path, json={"data": body})


def start(caller: Caller, path: str, *rows: Any, **relationships: str) -> Any:
    """Start a job, which must be accepted, and return it."""
    reply = send(caller, path, *rows, **relationships)
    assert reply.status_code == 202, reply.text
    return reply.json()["data"]


def reasons(caller: Caller, email: str = ANN) -> list[str]:
    """Return the reasons for which a profile gets no mail."""
    return [each["reason"] for each in marketing(caller, email)["suppression"]]


def test_a_person_is_suppressed_and_freed(caller: Caller, sandbox: Sandbox) -> None:
    """Consent stays; only what was done by hand is lifted."""
    caller.run_import([row(email=ANN)])
    sandbox.suppress(ANN, "HARD_BOUNCE")
    start(caller, SUPPRESS, row(email="ANN@example.com"))
    assert sorted(reasons(caller)) == ["HARD_BOUNCE", "USER_SUPPRESSED"]
    assert marketing(caller)["consent"] == "NEVER_SUBSCRIBED"
    start(caller, UNSUPPRESS, row(email=ANN))
    assert reasons(caller) == ["HARD_BOUNCE"]


def test_a_job_lies(caller: Caller, sandbox: Sandbox, clock: QuickClock) -> None:
    """At first it has no rows and an end; later it is at work for ever, and skips what it has done."""
    sandbox.change_rules(suppression_seconds=7_200)
    caller.run_import([row(email=ANN)])
    job = start(caller, SUPPRESS, row(email=ANN))
    first = job["attributes"]
    assert (first["status"], first["total_count"], first["completed_at"]) == (
        "processing",
        0,
        first["created_at"],
    )
    assert reasons(caller) == []
    clock.leap(7_201.0)
    later = caller.get(f"{SUPPRESS}/{job['id']}")["data"]["attributes"]
    assert (later["status"], later["completed_count"], later["skipped_count"]) == ("processing", 0, 1)
    assert reasons(caller) == ["USER_SUPPRESSED"]


def test_a_job_can_be_honest(caller: Caller, sandbox: Sandbox) -> None:
    """Rows without an effect are skipped."""
    sandbox.change_rules(suppression_jobs="honest")
    start(caller, SUPPRESS, row(email=ANN))
    job = start(caller, SUPPRESS, row(email=ANN), row(email=BOB))
    assert (job["attributes"]["status"], job["attributes"]["total_count"]) == ("queued", 2)
    done = caller.get(f"{SUPPRESS}/{job['id']}")["data"]["attributes"]
    counts = done["completed_count"], done["skipped_count"]
    assert (done["status"], *counts) == ("complete", 1, 1)


@pytest.mark.parametrize("creates", [True, False])
def test_an_unknown_address_becomes_a_profile_or_not(caller: Caller, sandbox: Sandbox, creates: bool) -> None:
    """Nobody knows which; freeing never makes one."""
    sandbox.change_rules(suppression_creates=creates)
    start(caller, UNSUPPRESS, row(email=ANN))
    assert sandbox.profile_count() == 0
    start(caller, SUPPRESS, row(email=ANN))
    assert sandbox.profile_count() == int(creates)


def test_a_list_means_its_members(caller: Caller) -> None:
    """As it is when the job is accepted; a list that nobody has, and a segment, are pointed at."""
    vip = caller.make_list("VIP")
    caller.run_import(people(2), vip)
    job = start(caller, SUPPRESS, list=vip)
    assert [reasons(caller, f"u{number}@example.com") for number in range(2)] == [["USER_SUPPRESSED"]] * 2
    assert [each["id"] for each in caller.get(SUPPRESS, filter=f'equals(list_id,"{vip}")')["data"]] == [
        job["id"]
    ]
    assert caller.get(SUPPRESS, filter='equals(segment_id,"x")')["data"] == []
    for kind in ("list", "segment"):
        reply = send(caller, SUPPRESS, **{kind: "none"})
        assert (reply.status_code, pointers(reply)) == (400, [f"/data/relationships/{kind}/data/id"])


def test_requests_are_whole(caller: Caller, sandbox: Sandbox) -> None:
    """One kind of people a request, a hundred of them, e-mails alone."""
    vip = caller.make_list("VIP")
    assert pointers(send(caller, SUPPRESS, row(email=ANN), list=vip)) == ["/data"]
    assert pointers(send(caller, SUPPRESS)) == ["/data"]
    assert pointers(send(caller, SUPPRESS, *people(101))) == [ROWS]
    bad = [
        row(email=ANN),
        row(email="no"),
        row(email=BOB, first_name="Bob"),
        row(phone_number="+14155550100"),
    ]
    assert pointers(send(caller, SUPPRESS, *bad)) == [
        f"{ROWS}/1/attributes/email",
        f"{ROWS}/2/attributes/first_name",
        f"{ROWS}/3/attributes/phone_number",
        f"{ROWS}/3/attributes/email",
    ]
    assert sandbox.profile_count() == 0
    start(caller, SUPPRESS, *people(100))


def test_jobs_of_the_two_kinds_are_apart(caller: Caller) -> None:
    """Each has its own collection, by pages whose size cannot be chosen."""
    suppressed = [start(caller, SUPPRESS, row(email=ANN))["id"] for _ in range(25)]
    freed = start(caller, UNSUPPRESS, row(email=ANN))["id"]
    assert [each["id"] for each in caller.pages(SUPPRESS)] == suppressed[::-1]
    assert [each["id"] for each in caller.pages(UNSUPPRESS, sort="created")] == [freed]
    assert caller.ask("GET", f"{SUPPRESS}/{freed}").status_code == 404
    assert caller.ask("GET", f"{SUPPRESS}?page[size]=5").status_code == 400


def test_the_suppressed_are_found_in_one_sweep(caller: Caller, sandbox: Sandbox, clock: QuickClock) -> None:
    """By reason and time, in the order of the times."""
    caller.run_import(people(3))
    for number in (2, 0):
        start(caller, SUPPRESS, *people(1, start=number))
        clock.leap(10.0)
    sandbox.suppress("u1@example.com", "HARD_BOUNCE")
    field = "subscriptions.email.marketing.suppression"
    profiles = caller.pages(
        "/api/profiles", filter=f'equals({field}.reason,"USER_SUPPRESSED")', sort=f"{field}.timestamp"
    )
    assert [each["attributes"]["email"] for each in profiles] == ["u2@example.com", "u0@example.com"]
