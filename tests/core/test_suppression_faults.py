"""Suppressions converge after kills, lost replies and refusals, and nothing else stops them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.messages import Request, Response, TransportResult
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.killing import run_until_killed
from tests.core.suppressions import (
    SUPPRESS,
    UNSUPPRESS,
    block,
    by_hand,
    email,
    free_on_remove,
    jobs,
    open_shop,
    outcomes,
    suppressed,
)
from tests.core.world import Interrupted, only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World


@pytest.fixture
def shop(prepare_world: PrepareWorld) -> World:
    """Let a model suppress some of the people that Klaviyo knows, and free those who leave."""
    world = prepare_world(open_shop)
    free_on_remove(world)
    return world


def check_kills(shop: World, first: int, step: int, owner: type, *names: str) -> None:
    """Kill runs that suppress one person and free another, later each time; one more run repairs all.

    Nobody is unsuppressed who was suppressed by hand.
    """
    by_hand(shop, email(100))
    nth, killed = first, True
    while killed:
        old, new = email(nth % 50), email(nth % 50 + 50)
        block(shop, [old, email(100)])
        shop.run()
        block(shop, [new, email(100)])
        killed = run_until_killed(shop, nth, owner, *names)
        shop.wait(3600.0)
        shop.run()
        assert suppressed(shop) == [new, email(100)], nth
        assert shop.plan().models[0].is_empty, nth
        block(shop, [])
        shop.run()
        assert email(100) in suppressed(shop), nth
        by_hand(shop, new, path=UNSUPPRESS)
        nth += step


LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=LONG)])
def test_a_run_may_be_killed_at_requests(shop: World, step: int) -> None:
    check_kills(shop, 1, step, Transport, "send")


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=LONG)])
def test_a_run_may_be_killed_at_statements(shop: World, step: int) -> None:
    check_kills(shop, 3, step, DuckDB, "execute", "fetch")


def test_a_run_may_be_killed_that_looks_at_a_suppression_that_did_not_show(shop: World) -> None:
    """Its row left, and the suppression shows now: the person is unsuppressed in the end."""
    nth, killed = 1, True
    while killed:
        shop.sandbox.change_rules(suppression_seconds=3600.0)
        block(shop, [email(nth)])
        assert outcomes(shop) == {Outcome.UNVERIFIED: 1}
        shop.sandbox.change_rules(suppression_seconds=1.0)
        block(shop, [])
        shop.wait(3600.0)
        killed = run_until_killed(shop, nth, Transport, "send")
        shop.wait(7 * 3600.0)
        shop.run()
        assert (suppressed(shop), shop.plan().models[0].is_empty) == ([], True), nth
        nth += 1


def test_a_lost_reply_is_proved_by_the_read_back(shop: World) -> None:
    block(shop, [email(1)])
    shop.fault(Fault(FaultKind.CUT, "POST", SUPPRESS, after=True, times=None))
    result = shop.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.APPLIED: 1}, 4)
    shop.calm()
    block(shop, [])
    assert outcomes(shop) == {Outcome.REMOVED: 1}


def test_a_lost_request_is_unknown_and_sent_again(shop: World) -> None:
    block(shop, [email(1)])
    shop.fault(Fault(FaultKind.CUT, "POST", SUPPRESS, times=None))
    assert outcomes(shop) == {Outcome.UNKNOWN: 1}
    shop.calm()
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert suppressed(shop) == [email(1)]


def test_a_lost_release_is_proved_by_the_read_back(shop: World) -> None:
    block(shop, [email(1)])
    shop.run()
    block(shop, [])
    shop.fault(Fault(FaultKind.CUT, "POST", UNSUPPRESS, after=True, times=None))
    assert outcomes(shop) == {Outcome.REMOVED: 1}
    shop.calm()
    assert outcomes(shop) == {}
    assert suppressed(shop) == []


def refuse_emails(
    monkeypatch: pytest.MonkeyPatch, *emails: str, endpoint: Endpoint = Endpoint.SUPPRESS
) -> None:
    """Let Klaviyo refuse requests to an endpoint with one of these."""
    send = Transport.send
    error = {"code": "invalid", "title": "Invalid", "detail": "No.", "source": {"pointer": "/data"}}
    refusal = Response(400, {"content-type": "application/json"}, json.dumps({"errors": [error]}).encode())

    def refuse(transport: Transport, request: Request) -> TransportResult:
        content = unquote(request.target).encode() + (request.body or b"")
        is_refused = request.endpoint is endpoint and any(address.encode() in content for address in emails)
        return refusal if is_refused else send(transport, request)

    monkeypatch.setattr(Transport, "send", refuse)


def test_a_refused_email_is_rejected_alone(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    block(shop, [email(number) for number in range(4)])
    shop.run()
    block(shop, [email(number) for number in range(8)])
    refuse_emails(monkeypatch, email(5))
    assert outcomes(shop) == {Outcome.APPLIED: 3, Outcome.REJECTED: 1}
    assert outcomes(shop) == {}
    assert suppressed(shop) == [email(number) for number in range(8) if number != 5]


@pytest.mark.parametrize("endpoint", [Endpoint.SUPPRESS, Endpoint.PROFILES])
def test_a_small_model_of_which_every_email_is_refused_rejects_no_row(
    shop: World, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    """The account is at fault, and the rows are sent again without `retry`."""
    emails = [email(number) for number in range(3)]
    block(shop, emails)
    with monkeypatch.context() as context:
        refuse_emails(context, *emails, endpoint=endpoint)
        result = shop.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.NOT_SENT: 3}, 4)
    assert outcomes(shop) == {Outcome.APPLIED: 3}


def test_a_read_without_suppressions_stops_the_model_before_it_sends(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suppression that is not known of may exist."""
    block(shop, [email(1)])
    send = Transport.send

    def drop_suppressions(transport: Transport, request: Request) -> TransportResult:
        response = send(transport, request)
        assert isinstance(response, Response)
        return replace(response, content=response.content.replace(b'"suppression"', b'"other"'))

    monkeypatch.setattr(Transport, "send", drop_suppressions)
    result = shop.run()
    assert only_list(result).outcomes == {Outcome.NOT_SENT: 1}
    assert "the suppressions of profile" in only_list(result).stop_reason
    assert (result.exit_code, jobs(shop)) == (4, [])


def test_a_guard_of_another_model_does_not_stop_a_suppression(shop: World) -> None:
    shop.model("everyone", "select email from people where email < 'p0050'", surface="profiles", min_rows=100)
    block(shop, [email(1)])
    result = shop.run()
    assert only_list(result, "blocked").outcomes == {Outcome.APPLIED: 1}
    assert (result.exit_code, suppressed(shop)) == (3, [email(1)])


def test_an_import_that_may_still_be_running_does_not_stop_a_suppression(shop: World) -> None:
    """The run before was killed after its import: other lists wait for it."""
    shop.model("everyone", "select email, 'x' as note from people", surface="profiles")
    block(shop, [email(1)])
    shop.profile(job_timeout_minutes=1)
    shop.fault(Fault(FaultKind.STALL, "POST", IMPORTS, times=None))
    send = Transport.send

    def die_after_import(transport: Transport, request: Request) -> TransportResult:
        result = send(transport, request)
        if (request.endpoint, request.path) == (Endpoint.START_IMPORT, IMPORTS):
            raise Interrupted
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Transport, "send", die_after_import)
        with pytest.raises(Interrupted):
            shop.run()
    shop.sandbox.clear_faults()
    result = shop.run()
    assert "may still be running" in only_list(result, "everyone").stop_reason
    assert only_list(result, "blocked").outcomes == {Outcome.APPLIED: 1}
    assert suppressed(shop) == [email(1)]
