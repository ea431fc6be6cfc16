"""What is done after each thing that can come of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.messages import Answer, Fault
from reverse_etl.klaviyo.retry import (
    ATTEMPTS,
    THROTTLED_SECONDS,
    Again,
    Done,
    GiveUp,
    Tries,
    decide,
    retry_after,
)
from tests.klaviyo.simulation import dice

if TYPE_CHECKING:
    from typing import Any

READ, REPEATABLE, ONCE = Endpoint.LISTS, Endpoint.START_IMPORT, Endpoint.CREATE_LIST


def answer(status: int, **headers: Any) -> Answer:
    """Return a reply without a body."""
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


def kind_of(decision: Again | Done | GiveUp) -> str:
    """Return a decision in a word."""
    if isinstance(decision, Done):
        return "done"
    lost = decision.tries.lost if isinstance(decision, Again) else decision.lost
    return ("again" if isinstance(decision, Again) else "give up") + (", lost" if lost else "")


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
    (Fault.SILENT, "again", "again, lost", "give up, lost"),
    (Fault.CUT, "again", "again, lost", "give up, lost"),
    (Fault.UNREACHABLE, "again", "again", "again"),
    (Fault.REFUSED, "again", "again", "again"),
    (Fault.UNTRUSTED, "give up", "give up", "give up"),
    (Fault.UNSENDABLE, "give up", "give up", "give up"),
]


@pytest.mark.parametrize(
    ("outcome", "read", "repeatable", "once"), TABLE, ids=lambda value: str(getattr(value, "status", value))
)
def test_each_outcome_has_its_consequence(
    outcome: Answer | Fault, read: str, repeatable: str, once: str
) -> None:
    """A read is never lost; a write that may have been carried out is, and is repeated only if harmless."""
    found = [kind_of(decide(outcome, Tries(), endpoint, dice())) for endpoint in (READ, REPEATABLE, ONCE)]
    assert found == [read, repeatable, once]


@pytest.mark.parametrize("outcome", [answer(503), Fault.CUT, Fault.UNREACHABLE])
def test_failures_are_tried_eight_times_and_then_given_up(outcome: Answer | Fault) -> None:
    """And the reason says how often."""
    tries, count = Tries(), 1
    while isinstance(decision := decide(outcome, tries, READ, dice()), Again):
        tries, count = decision.tries, count + 1
    assert count == ATTEMPTS == 8
    assert isinstance(decision, GiveUp)
    assert decision.reason.endswith("after 8 tries")


def test_a_reply_once_lost_stays_lost() -> None:
    """A later clear answer does not say what became of the first try."""
    first = decide(Fault.CUT, Tries(), REPEATABLE, dice())
    then = decide(answer(429), first.tries, REPEATABLE, dice())
    assert decide(answer(202), then.tries, REPEATABLE, dice()) == Done(Answer(202, {}, b"", lost=True))
    assert decide(Fault.UNTRUSTED, then.tries, REPEATABLE, dice()).lost
    unreached = decide(Fault.UNREACHABLE, then.tries, REPEATABLE, dice())
    assert decide(answer(202), unreached.tries, REPEATABLE, dice()).answer.lost


@given(st.integers(min_value=0, max_value=2**32), st.sampled_from([answer(500), Fault.SILENT]))
def test_backoff_is_exponential_with_full_jitter(seed: int, outcome: Answer | Fault) -> None:
    """The nth wait lies anywhere between nothing and half a second doubled n times."""
    tries, longest = Tries(), 0.5
    while isinstance(decision := decide(outcome, tries, READ, dice(seed)), Again):
        assert 0 <= decision.after <= longest
        tries, longest = decision.tries, min(longest * 2, 60)


def test_a_5xx_that_says_when_to_come_back_is_obeyed() -> None:
    """A 503 may carry Retry-After."""
    assert decide(answer(503, retry_after="20"), Tries(), READ, dice()).after == 20


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), (" 1 ", 1.0)])
def test_a_429_waits_exactly_as_told(header: str, seconds: float) -> None:
    """For the whole endpoint, and without using up a try."""
    decision = decide(answer(429, retry_after=header), Tries(), READ, dice())
    assert decision == Again(seconds, Tries(throttled=1, throttled_seconds=seconds), throttled=True)


@pytest.mark.parametrize(
    "headers", [{}, {"retry_after": "0"}, {"retry_after": ""}, {"retry_after": "soon"}, {"retry_after": "-5"}]
)
def test_a_429_that_does_not_say_how_long_waits_longer_each_time(headers: dict[str, str]) -> None:
    """At once would be refused again: so says Klaviyo's guide."""
    tries, waits = Tries(), []
    for _ in range(5):
        decision = decide(answer(429, **headers), tries, READ, dice())
        waits.append(decision.after)
        tries = decision.tries
    assert all(2**n / 2 <= wait <= 2**n for n, wait in enumerate(waits))


def test_429s_are_given_up_after_half_an_hour_of_waiting_and_not_by_number() -> None:
    """Thirty waits of a minute fit; the next does not. As nothing was carried out, no reply was lost."""
    tries, count = Tries(), 0
    while isinstance(decision := decide(answer(429, retry_after="60"), tries, ONCE, dice()), Again):
        tries, count = decision.tries, count + 1
    assert count == 30 == THROTTLED_SECONDS / 60
    assert isinstance(decision, GiveUp)
    assert not decision.lost


def test_a_429_that_asks_for_a_day_is_given_up_at_once() -> None:
    """A run does not sleep for a day."""
    assert isinstance(decide(answer(429, retry_after="86400"), Tries(), READ, dice()), GiveUp)


def test_429s_between_failures_do_not_shorten_the_tries() -> None:
    """Another application's traffic must not make us give up on a passing fault."""
    tries = decide(answer(503), Tries(), READ, dice()).tries
    for _ in range(20):
        tries = decide(answer(429, retry_after="1"), tries, READ, dice()).tries
    assert tries.failed == 1


def test_retry_after_is_read_from_its_header_alone() -> None:
    """A body that says 0 seconds counts for nothing."""
    assert retry_after(answer(429)) is None
