from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pytest
import requests

from reverse_etl.clock import SystemClock
from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from tests.sandbox.caller import JOBS, Caller, people, pointers, row

if TYPE_CHECKING:
    from typing import Any

ROWS = "/data/attributes/profiles/data"


def create(caller: Caller, name: str = "VIP") -> requests.Response:
    """Try to create a list."""
    return caller.ask("POST", "/api/lists", json={"data": {"type": "list", "attributes": {"name": name}}})


@pytest.mark.parametrize("status", [500, 503, 408, 401, 403, 502])
@pytest.mark.parametrize("after", [False, True])
def test_a_status_comes_before_or_after_the_request_was_carried_out(
    caller: Caller, sandbox: Sandbox, status: int, after: bool
) -> None:
    sandbox.add_fault(Fault(FaultKind.STATUS, status=status, after=after))
    reply = create(caller)
    assert (reply.status_code, len(sandbox.lists())) == (status, int(after))
    assert reply.json()["errors"][0]["status"] == status
    assert create(caller).status_code == 201


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (7, "7")])
def test_a_429_comes_with_or_without_the_wait(retry_after: int | None, header: str | None) -> None:
    with Sandbox(None) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            sandbox.add_fault(Fault(FaultKind.STATUS, status=429, retry_after=retry_after))
            reply = create(caller)
    assert (reply.status_code, reply.headers.get("Retry-After")) == (429, header)
    assert "RateLimit-Limit" not in reply.headers


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_is_cut_before_or_after_the_request_was_carried_out(
    caller: Caller, sandbox: Sandbox, after: bool
) -> None:
    """The client sees no reply either way; only the state tells which it was."""
    sandbox.add_fault(Fault(FaultKind.CUT, method="POST", after=after))
    with pytest.raises(requests.ConnectionError):
        create(caller)
    assert len(sandbox.lists()) == int(after)
    (entry,) = sandbox.log()
    assert (entry.status, entry.fault) == (
        (201, "carried out: cut") if after else (0, "not carried out: cut")
    )
    assert create(caller).status_code == 201


def test_an_html_page_with_status_200_can_be_scripted(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault(FaultKind.HTML))
    reply = create(caller)
    assert (reply.status_code, reply.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert sandbox.lists() == []


class HeldClock(SystemClock):
    """The machine's clock, on which a sleep ends when a test says so."""

    def __init__(self) -> None:
        self.sleeping, self.awake = threading.Event(), threading.Event()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Wait for the test."""
        self.slept.append(seconds)
        self.sleeping.set()
        assert self.awake.wait(60)


def test_a_slow_reply_comes_late_and_does_not_hold_up_others() -> None:
    clock = HeldClock()
    with Sandbox(None, limits=False, clock=clock) as sandbox, ThreadPoolExecutor() as pool:
        slow, other = Caller(sandbox), Caller(sandbox)
        with slow.session, other.session:
            sandbox.add_fault(Fault(FaultKind.SLOW, seconds=60.0))
            late = pool.submit(slow.ask, "GET", "/api/lists")
            assert clock.sleeping.wait(60)
            assert other.ask("GET", "/api/lists").status_code == 200
            assert not late.done()
            clock.awake.set()
            assert late.result(60).status_code == 200
    assert clock.slept == [60.0]


def test_a_fault_applies_only_to_matching_requests(caller: Caller, sandbox: Sandbox) -> None:
    """Method and path are shell patterns; times count; faults wait in a queue."""
    sandbox.add_fault(Fault(FaultKind.STATUS, status=500, method="DELETE"))
    sandbox.add_fault(Fault(FaultKind.STATUS, status=503, path="/api/lists*", times=2))
    sandbox.add_fault(Fault(FaultKind.STATUS, status=408, path="/api/lists", times=1))
    assert caller.ask("GET", "/api/profiles").status_code == 200
    assert [caller.ask("GET", "/api/lists").status_code for _ in range(4)] == [503, 503, 408, 200]
    assert caller.ask("DELETE", "/api/lists/x").status_code == 500


def test_an_unlimited_fault_applies_until_it_is_cleared(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault(FaultKind.STATUS, times=None))
    assert {caller.ask("GET", "/api/lists").status_code for _ in range(5)} == {500}
    sandbox.clear_faults()
    assert caller.ask("GET", "/api/lists").status_code == 200


def test_a_random_fault_is_repeatable_by_its_seed(caller: Caller, sandbox: Sandbox) -> None:
    runs = []
    for _ in range(2):
        sandbox.clear_faults()
        sandbox.add_fault(Fault(FaultKind.STATUS, times=None, probability=0.3, seed=4))
        runs.append([caller.ask("GET", "/api/lists").status_code for _ in range(60)])
    assert runs[0] == runs[1]
    assert 8 <= runs[0].count(500) <= 30


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("attributes", {"email": "u1@bad.example.com", "first_name": "Ann"}),
        ("resource", row(email="u1@bad.example.com", first_name="Ann")),
        ("none", None),
    ],
)
def test_refused_rows_fail_in_the_job_with_errors(
    caller: Caller,
    sandbox: Sandbox,
    payload: Literal["attributes", "resource", "none"],
    expected: dict[str, Any] | None,
) -> None:
    """The job is complete, its counts add up, and each error repeats its row in the form asked for."""
    sandbox.add_fault(
        Fault(
            FaultKind.REFUSE_ROWS,
            pattern=r"@bad\.",
            code="invalid_domain",
            detail="No such domain.",
            payload=payload,
        )
    )
    vip = caller.make_list("VIP")
    job = caller.run_import([*people(3), row(email="u1@bad.example.com", first_name="Ann")], vip)
    attributes = job["attributes"]
    assert (attributes["status"], attributes["completed_count"], attributes["failed_count"]) == (
        "complete",
        3,
        1,
    )
    (error,) = caller.pages(f"{JOBS}/{job['id']}/import-errors")
    assert error["attributes"] == {
        "code": "invalid_domain",
        "title": "Invalid input.",
        "detail": "No such domain.",
        "source": {"pointer": "/data/attributes/email"},
        "original_payload": expected,
    }
    assert len(sandbox.members(vip)) == 3


def test_import_errors_come_by_pages(caller: Caller, sandbox: Sandbox) -> None:
    """Twenty on the first page: a caller who reads no further misses the rest."""
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="."))
    job = caller.run_import(people(45))
    path = f"{JOBS}/{job['id']}/import-errors"
    assert len(caller.get(path)["data"]) == 20
    emails = [error["attributes"]["original_payload"]["email"] for error in caller.pages(path)]
    assert emails == [f"u{number}@example.com" for number in range(45)]


def test_a_row_fault_without_a_matching_row_stays_queued(caller: Caller, sandbox: Sandbox) -> None:
    """It is counted by the jobs in which it strikes."""
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^u9@"))
    assert caller.run_import(people(3))["attributes"]["failed_count"] == 0
    assert caller.run_import(people(10))["attributes"]["failed_count"] == 1
    assert caller.run_import(people(10))["attributes"]["failed_count"] == 0


def test_a_row_fault_can_look_at_another_field(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^7$", field="external_id"))
    job = caller.run_import([row(external_id="7"), row(external_id="77")])
    (error,) = caller.pages(f"{JOBS}/{job['id']}/import-errors")
    assert error["attributes"]["source"] == {"pointer": "/data/attributes/external_id"}


def test_invalid_rows_refuse_the_request_with_pointers(caller: Caller, sandbox: Sandbox) -> None:
    """Rows that any check before sending would pass, and Klaviyo still does not take."""
    sandbox.add_fault(Fault(FaultKind.INVALID_ROWS, pattern="^u[13]@", times=2))
    for _ in range(2):
        reply = caller.start_import(people(5))
        assert reply.status_code == 400
        assert pointers(reply) == [f"{ROWS}/1/attributes/email", f"{ROWS}/3/attributes/email"]
    assert caller.start_import(people(5)).status_code == 202
    assert len(caller.get(JOBS)["data"]) == 1


@pytest.mark.parametrize("rows", [0, 3])
def test_a_cancelled_job_has_applied_its_first_rows_or_none(
    caller: Caller, sandbox: Sandbox, rows: int
) -> None:
    """The job does not report the other rows."""
    sandbox.add_fault(Fault(FaultKind.CANCEL, rows=rows))
    vip = caller.make_list("VIP")
    attributes = caller.run_import(people(5), vip)["attributes"]
    assert (attributes["status"], attributes["completed_count"], attributes["failed_count"]) == (
        "cancelled",
        rows,
        0,
    )
    assert len(sandbox.members(vip)) == rows


def test_a_job_can_count_more_failures_than_it_reports(caller: Caller, sandbox: Sandbox) -> None:
    """failed_count is right, import-errors is short: the rest cannot be tied to rows."""
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^u4@"))
    sandbox.add_fault(Fault(FaultKind.MISCOUNT, rows=2))
    vip = caller.make_list("VIP")
    job = caller.run_import(people(5), vip)
    assert (job["attributes"]["completed_count"], job["attributes"]["failed_count"]) == (2, 3)
    assert len(caller.pages(f"{JOBS}/{job['id']}/import-errors")) == 1
    assert [member["email"] for member in sandbox.members(vip)] == ["u0@example.com", "u1@example.com"]


def test_faults_can_be_added_over_http(caller: Caller, sandbox: Sandbox) -> None:
    url = f"{sandbox.origin}/sandbox/faults"
    made = requests.post(url, json={"kind": "status", "status": 503, "times": 3}, timeout=5)
    assert made.status_code == 200
    assert caller.ask("GET", "/api/lists").status_code == 503
    (standing,) = requests.get(url, timeout=5).json()["data"]
    assert (standing["number"], standing["remaining"]) == (made.json()["data"]["number"], 2)
    assert requests.delete(url, timeout=5).status_code == 200
    assert caller.ask("GET", "/api/lists").status_code == 200
    assert [entry.path for entry in sandbox.log()] == ["/api/lists", "/api/lists"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "meteor"}, "kind: Input should be"),
        ({"status": 500}, "an object with a kind"),
        ([], "an object with a kind"),
        ({"kind": "cut", "colour": "red"}, "Known fields: after, code"),
        ({"kind": "status", "status": "many"}, "status: Input should be a valid integer"),
        ({"kind": "refuse_rows", "pattern": "("}, "pattern cannot be read"),
    ],
)
def test_a_fault_that_cannot_be_read_is_refused(
    sandbox: Sandbox, document: dict[str, Any] | list[Any], said: str
) -> None:
    with pytest.raises(UsageError):
        Fault.parse(document)
    reply = requests.post(f"{sandbox.origin}/sandbox/faults", json=document, timeout=5)
    assert reply.status_code == 400
    assert said in reply.json()["error"]
