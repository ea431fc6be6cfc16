"""The decision after each result of an attempt: return, retry or fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.messages import Response, TransportError
from reverse_etl.klaviyo.retry import (
    MAX_ATTEMPTS,
    MAX_THROTTLED_SECONDS,
    Attempts,
    Fail,
    Retry,
    Return,
    next_step,
    parse_retry_after,
)
from tests.klaviyo.simulation import dice

if TYPE_CHECKING:
    from typing import Any

READ, REPEATABLE, ONCE = Endpoint.LISTS, Endpoint.START_IMPORT, Endpoint.CREATE_LIST


def answer(status: int, **headers: Any) -> Response:
    """Return a reply without a body."""
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


def kind_of(decision: Retry | Return | Fail) -> str:
    """Return a decision in a word."""
    if isinstance(decision, Return):
        return "done"
    lost = decision.attempts.reply_lost if isinstance(decision, Retry) else decision.outcome_unknown
    return ("again" if isinstance(decision, Retry) else "give up") + (", lost" if lost else "")


def repeated(outcome: Response | TransportError, attempts: Attempts, endpoint: Endpoint) -> Retry:
    """Return the decision to try again."""
    decision = next_step(outcome, attempts, endpoint, dice())
    assert isinstance(decision, Retry)
    return decision


TABLE = [
    # outcome                    a GET       an import       creating a list
    (answer(200), "done", "done", "done"),
    (answer(202), "done", "done", "done"),
    (answer(301), "done", "done", "done"),
    (answer(307), "done", "done", "done"),
    (answer(400), "done", "done", "done"),
    (answer(401), "done", "done", "done"),
    (answer(403), "done", "done", "done"),
    (answer(404), "done", "done", "done"),
    (answer(409), "done", "done", "done"),
    (answer(410), "done", "done", "done"),
    (answer(413), "done", "done", "done"),
    (answer(415), "done", "done", "done"),
    (answer(429), "again", "again", "again"),
    (answer(408), "again", "again, lost", "give up, lost"),
    (answer(500), "again", "again, lost", "give up, lost"),
    (answer(502), "again", "again, lost", "give up, lost"),
    (answer(503), "again", "again, lost", "give up, lost"),
    (answer(524), "again", "again, lost", "give up, lost"),
    (TransportError.TIMED_OUT, "again", "again, lost", "give up, lost"),
    (TransportError.CONNECTION_LOST, "again", "again, lost", "give up, lost"),
    (TransportError.UNREACHABLE, "again", "again", "again"),
    (TransportError.CONNECTION_REFUSED, "again", "again", "again"),
    (TransportError.CERTIFICATE_UNVERIFIED, "give up", "give up", "give up"),
    (TransportError.INVALID_REQUEST, "give up", "give up", "give up"),
]


@pytest.mark.parametrize(
    ("outcome", "read", "repeatable", "once"), TABLE, ids=lambda value: str(getattr(value, "status", value))
)
def test_each_result_has_its_next_step(
    outcome: Response | TransportError, read: str, repeatable: str, once: str
) -> None:
    """A read is never lost; a write that may have been carried out is, and is repeated only if harmless."""
    steps = [
        kind_of(next_step(outcome, Attempts(), endpoint, dice())) for endpoint in (READ, REPEATABLE, ONCE)
    ]
    assert steps == [read, repeatable, once]


@pytest.mark.parametrize("outcome", [answer(503), TransportError.CONNECTION_LOST, TransportError.UNREACHABLE])
def test_failures_are_retried_up_to_eight_attempts(outcome: Response | TransportError) -> None:
    tries, count = Attempts(), 1
    while isinstance(decision := next_step(outcome, tries, READ, dice()), Retry):
        tries, count = decision.attempts, count + 1
    assert count == MAX_ATTEMPTS == 8
    assert isinstance(decision, Fail)
    assert decision.reason.endswith("after 8 attempts")


def test_a_lost_reply_stays_unknown_after_later_failures() -> None:
    """A later clear answer does not say what became of the first try."""
    first = repeated(TransportError.CONNECTION_LOST, Attempts(), REPEATABLE)
    then = repeated(answer(429), first.attempts, REPEATABLE)
    assert next_step(answer(202), then.attempts, REPEATABLE, dice()) == Return(
        Response(202, {}, b"", earlier_reply_lost=True)
    )
    given_up = next_step(TransportError.CERTIFICATE_UNVERIFIED, then.attempts, REPEATABLE, dice())
    assert isinstance(given_up, Fail)
    assert given_up.outcome_unknown
    unreached = repeated(TransportError.UNREACHABLE, then.attempts, REPEATABLE)
    done = next_step(answer(202), unreached.attempts, REPEATABLE, dice())
    assert isinstance(done, Return)
    assert done.response.earlier_reply_lost


@given(st.integers(min_value=0, max_value=2**32), st.sampled_from([answer(500), TransportError.TIMED_OUT]))
def test_backoff_is_exponential_with_full_jitter(seed: int, outcome: Response | TransportError) -> None:
    """The nth wait lies anywhere between nothing and half a second doubled n times."""
    tries, longest = Attempts(), 0.5
    while isinstance(decision := next_step(outcome, tries, READ, dice(seed)), Retry):
        assert 0 <= decision.delay <= longest
        tries, longest = decision.attempts, min(longest * 2, 60)


def test_retry_after_of_a_5xx_is_obeyed() -> None:
    assert repeated(answer(503, retry_after="20"), Attempts(), READ).delay == 20


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), (" 1 ", 1.0)])
def test_a_429_waits_exactly_as_long_as_it_asks(header: str, seconds: float) -> None:
    """For the whole endpoint, and without using up a try."""
    decision = next_step(answer(429, retry_after=header), Attempts(), READ, dice())
    assert decision == Retry(seconds, Attempts(throttled=1, throttled_seconds=seconds), throttled=True)


@pytest.mark.parametrize(
    "headers", [{}, {"retry_after": "0"}, {"retry_after": ""}, {"retry_after": "soon"}, {"retry_after": "-5"}]
)
def test_429s_without_retry_after_back_off(headers: dict[str, str]) -> None:
    """At once would be refused again: so says Klaviyo's guide."""
    tries, waits = Attempts(), []
    for _ in range(5):
        decision = repeated(answer(429, **headers), tries, READ)
        waits.append(decision.delay)
        tries = decision.attempts
    assert all(2**n / 2 <= wait <= 2**n for n, wait in enumerate(waits))


def test_429s_fail_after_half_an_hour_of_waiting_whatever_their_number() -> None:
    """Thirty waits of a minute fit; the next does not. As nothing was carried out, no reply was lost."""
    tries, count = Attempts(), 0
    while isinstance(decision := next_step(answer(429, retry_after="60"), tries, ONCE, dice()), Retry):
        tries, count = decision.attempts, count + 1
    assert count == 30 == MAX_THROTTLED_SECONDS / 60
    assert isinstance(decision, Fail)
    assert not decision.outcome_unknown


def test_a_429_with_a_wait_of_a_day_fails_at_once() -> None:
    assert isinstance(next_step(answer(429, retry_after="86400"), Attempts(), READ, dice()), Fail)


def test_429s_between_failures_do_not_count_as_attempts() -> None:
    """Another application's traffic must not make us give up on a passing fault."""
    tries = repeated(answer(503), Attempts(), READ).attempts
    for _ in range(20):
        tries = repeated(answer(429, retry_after="1"), tries, READ).attempts
    assert tries.failed == 1


def test_retry_after_is_read_from_its_header_alone() -> None:
    assert parse_retry_after(answer(429)) is None
