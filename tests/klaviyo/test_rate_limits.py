"""Rate limits against a simulated server with fixed windows, at any phase of the windows."""

from __future__ import annotations

import threading
from math import ceil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverse_etl.clock import CancellableSleep
from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.endpoints import XS, AnyEndpoint, Endpoint, L, M, RateLimit
from reverse_etl.klaviyo.rate_limit import EndpointLimiter, Permit, Quota, RateLimiter, estimate_duration
from tests.klaviyo.simulation import FixedWindows, Run, dice

if TYPE_CHECKING:
    from typing import Any

    from tests.clocks import QuickClock


S = RateLimit(3, 60)


alignments = st.none() | st.floats(min_value=0, max_value=60, exclude_max=True)
roundings = st.sampled_from([ceil, int])
seeds = st.integers(min_value=0, max_value=1000)


@settings(max_examples=40, deadline=None)
@given(
    tier=st.sampled_from([XS, S, M, L]),
    phase=alignments,
    latency=st.floats(min_value=0.01, max_value=20),
    in_flight=st.integers(min_value=1, max_value=16),
    seed=seeds,
    rounding=roundings | st.none(),
    least_left=st.booleans(),
)
def test_without_other_users_no_request_is_throttled(**case: Any) -> None:
    """Wherever the windows' edges lie, however long and uneven the way, whatever the headers tell."""
    tier = case.pop("tier")
    server = FixedWindows(tier, case.pop("phase"), case.pop("least_left"))
    run = Run(EndpointLimiter(Endpoint.LISTS, tier), server, **case).send(150)
    assert run.good > 0
    assert run.throttled == 0


@settings(max_examples=12, deadline=None)
@given(
    tier=st.sampled_from([XS, S, M, L]),
    phase=alignments,
    latency=st.floats(min_value=0.01, max_value=1),
    seed=seeds,
    rounding=roundings,
    least_left=st.booleans(),
)
def test_at_least_95_percent_of_the_allowed_requests_are_used(**case: Any) -> None:
    """While there is work, over ten minutes, with what is left told and its reset rounded up or down."""
    tier = case.pop("tier")
    server = FixedWindows(tier, case.pop("phase"), case.pop("least_left"))
    run = Run(EndpointLimiter(Endpoint.LISTS, tier), server, in_flight=16, **case).send(600)
    assert run.good >= 0.95 * tier.steady * 10
    assert run.throttled == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("phase", [None, 0.0, 17.5, 45.0])
@pytest.mark.parametrize("least_left", [False, True])
def test_with_another_user_of_the_quota_few_requests_are_throttled(
    phase: float | None, seed: int, least_left: bool
) -> None:
    """Another application takes a third of the minute's requests, in its own rhythm; the rest is used."""
    random = dice(seed)
    others = [random.uniform(0, 1200) for _ in range(1000)]
    server = FixedWindows(M, phase, least_left)
    run = Run(EndpointLimiter(Endpoint.START_IMPORT, M), server, in_flight=8, latency=0.4, seed=seed)
    run.send(1200, others)
    assert run.throttled < 0.01 * (run.good + run.throttled)
    assert run.good >= 0.9 * (20 * 150 - 1000)


def test_without_remaining_quota_nothing_is_sent_before_the_reset() -> None:
    """Even though our own slots are free: others have used the rest."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.release(10.0, limiter.acquire(10.0), replied=True, quota=Quota(0, 30))
    assert limiter.seconds_until_free(10.5) == pytest.approx(30.5)
    assert limiter.seconds_until_free(40.0) > 0
    assert limiter.seconds_until_free(41.0) == 0


def test_requests_in_flight_do_not_exceed_the_remaining_quota() -> None:
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.release(0.0, limiter.acquire(0.0), replied=True, quota=Quota(2, 50))
    first = limiter.acquire(1.1)
    assert limiter.seconds_until_free(1.1) == 0
    limiter.acquire(1.1)
    assert 0 < limiter.seconds_until_free(1.1) <= 0.1
    limiter.release(1.2, first, replied=True, quota=Quota(1, 50))
    assert limiter.seconds_until_free(1.2) > 0


def test_a_late_reply_of_an_earlier_window_does_not_change_the_new_one() -> None:
    """Replies overtake each other around an edge."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    early, late = limiter.acquire(0.0), limiter.acquire(0.0)
    limiter.release(1.0, early, replied=True, quota=Quota(149, 60))
    limiter.release(1.1, late, replied=True, quota=Quota(0, 0))
    assert limiter.seconds_until_free(1.1) == 0


def test_a_used_up_second_delays_a_second_and_not_a_minute() -> None:
    """The window that a reply describes has its own length; the minute is described separately."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.release(0.0, limiter.acquire(0.0), replied=True, quota=Quota(0, 0, 1.0))
    assert 0 < limiter.seconds_until_free(0.5) <= 0.5
    assert limiter.seconds_until_free(1.1) == 0
    first, second = limiter.acquire(1.1), limiter.acquire(1.1)
    limiter.release(1.2, first, replied=True, quota=Quota(0, 30, 60.0))
    limiter.release(1.3, second, replied=True, quota=Quota(9, 0, 1.0))
    assert limiter.seconds_until_free(2.5) == pytest.approx(29.7)


def test_a_new_window_resets_the_count() -> None:
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    slot = limiter.acquire(0.0)
    limiter.release(0.1, limiter.acquire(0.0), replied=True, quota=Quota(0, 1))
    limiter.release(2.2, slot, replied=True, quota=Quota(149, 58))
    assert limiter.seconds_until_free(2.2) == 0


def test_a_reset_of_more_than_a_minute_is_capped() -> None:
    """The window is a minute long: a header in another unit must not stop the run."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.release(0.0, limiter.acquire(0.0), replied=True, quota=Quota(0, 1_790_000_000))
    assert limiter.seconds_until_free(0.0) <= 61


def test_after_a_429_the_endpoint_waits_and_then_sends_a_single_canary() -> None:
    """If the limit is still used up, one more 429 comes and not one for each thread."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.throttle(0.0, limiter.acquire(0.0), 30)
    assert limiter.seconds_until_free(1.0) == 29
    assert limiter.seconds_until_free(30.0) == 0
    canary = limiter.acquire(30.0)
    assert limiter.seconds_until_free(30.0) > 0
    limiter.throttle(30.1, canary, 5)
    assert limiter.seconds_until_free(35.0) > 0
    canary = limiter.acquire(35.1)
    limiter.release(35.2, canary, replied=True)
    limiter.acquire(35.2)
    assert limiter.seconds_until_free(35.2) == 0


def test_a_canary_without_a_reply_is_followed_by_another() -> None:
    """A cut connection says nothing of the limit."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    limiter.throttle(0.0, limiter.acquire(0.0), 30)
    limiter.release(31.0, limiter.acquire(30.0), replied=False)
    assert limiter.seconds_until_free(31.0) == 0
    assert limiter.acquire(31.0).is_canary
    assert limiter.seconds_until_free(31.0) > 0


def test_the_longer_of_two_waits_applies() -> None:
    """Several requests in flight get a 429 each, in any order."""
    limiter = EndpointLimiter(Endpoint.LISTS, M)
    first, second = limiter.acquire(0.0), limiter.acquire(0.0)
    limiter.throttle(0.1, first, 30)
    limiter.throttle(0.2, second, 1)
    assert limiter.seconds_until_free(1.0) == pytest.approx(29.1)


def acquired(pace: RateLimiter, endpoint: Endpoint) -> Permit:
    """Return a permit of a rate limiter that was not stopped."""
    permit = pace.acquire(endpoint)
    assert permit is not None
    return permit


def test_endpoints_do_not_wait_for_each_other(clock: QuickClock) -> None:
    pace = RateLimiter(clock, CancellableSleep(clock), lambda endpoint: endpoint.rate_limit)
    pace.throttle(acquired(pace, Endpoint.LISTS), 600)
    pace.acquire(Endpoint.PROFILES)
    assert clock.slept == []


def test_threads_share_the_limits(clock: QuickClock) -> None:
    """Twenty requests of eight threads at ten a second need a second's wait."""
    pace = RateLimiter(clock, CancellableSleep(clock), lambda endpoint: endpoint.rate_limit)
    taken = []

    def work() -> None:
        for _ in range(5):
            permit = acquired(pace, Endpoint.START_IMPORT)
            taken.append(permit.sent_at)
            pace.release(permit, replied=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    taken.sort()
    assert len(taken) == 40
    assert all(later - earlier >= 1 for earlier, later in zip(taken, taken[10:], strict=False))


def test_an_exhausted_daily_limit_is_an_error_without_a_wait(clock: QuickClock) -> None:
    pace = RateLimiter(clock, CancellableSleep(clock), lambda _: RateLimit(10, 1000, daily=3))
    for _ in range(3):
        pace.release(acquired(pace, Endpoint.CREATE_LIST), replied=True)
    with pytest.raises(KlaviyoError, match="daily limit of 150"):
        pace.acquire(Endpoint.CREATE_LIST)


def test_a_stopped_run_gets_no_permits(clock: QuickClock) -> None:
    patience = CancellableSleep(clock)
    pace = RateLimiter(clock, patience, lambda endpoint: endpoint.rate_limit)
    pace.throttle(acquired(pace, Endpoint.LISTS), 600)
    patience.cancel()
    assert pace.acquire(Endpoint.LISTS) is None


@pytest.mark.parametrize(
    ("requests", "seconds"),
    [
        ({}, 0),
        ({Endpoint.START_IMPORT: 0}, 0),
        ({Endpoint.START_IMPORT: 1}, 0),
        ({Endpoint.START_IMPORT: 10}, 0),
        ({Endpoint.START_IMPORT: 11}, 1),
        ({Endpoint.START_IMPORT: 150}, 14),
        ({Endpoint.START_IMPORT: 151}, 60),
        ({Endpoint.START_IMPORT: 311}, 121),
        ({Endpoint.LIST_PROFILES: 751}, 60),
        ({Endpoint.ACCOUNTS: 16}, 60),
        ({Endpoint.CREATE_LIST: 151}, 86_400),
        ({Endpoint.START_IMPORT: 151, Endpoint.REMOVE_FROM_LIST: 11}, 61),
    ],
)
def test_a_plan_can_say_how_long_its_requests_take(requests: dict[AnyEndpoint, int], seconds: int) -> None:
    """Until the last may go out, one endpoint after another."""
    assert estimate_duration(requests) == seconds


@pytest.mark.parametrize("tier", [XS, S, M, L])
def test_the_estimated_duration_is_the_real_one(tier: RateLimit) -> None:
    """Against the limiter itself, with replies that come at once: never less, and hardly more."""
    limiter, now = EndpointLimiter(Endpoint.LISTS, tier), 0.0
    for _ in range(3 * tier.steady):
        while (wait := limiter.seconds_until_free(now)) > 0:
            now += wait
        limiter.release(now, limiter.acquire(now), replied=True)
    told = 2 * 60 + (tier.steady - 1) // tier.burst
    assert told <= now <= told * 1.01 + 0.5


@pytest.mark.parametrize("endpoint", [Endpoint.START_IMPORT, Endpoint.CREATE_EVENTS, Endpoint.SUBSCRIBE])
@pytest.mark.parametrize("phase", [None, 17.3])
@pytest.mark.parametrize("least_left", [False, True])
def test_imports_events_and_consents_use_99_percent_of_their_quota(
    endpoint: Endpoint, phase: float | None, least_left: bool
) -> None:
    """Under Klaviyo's real limits, over ten minutes; fewer than one reply in a thousand is a 429."""
    tier = endpoint.rate_limit
    run = Run(
        EndpointLimiter(endpoint, tier), FixedWindows(tier, phase, least_left), in_flight=8, latency=0.3
    )
    run.send(600)
    assert run.good >= 0.99 * tier.steady * 10
    assert run.throttled < 0.001 * (run.good + run.throttled)
