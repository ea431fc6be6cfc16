from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from reverse_etl.sandbox import Sandbox
from reverse_etl.sandbox.limits import QUOTAS, FixedWindowLimiter
from reverse_etl.sandbox.replies import HttpError
from tests.clocks import QuickClock
from tests.sandbox.caller import JOBS, Caller

NOON = 1_800_000_000.0  # a whole minute, hour and (twice) day of the epoch


def taken(limits: FixedWindowLimiter, operation: str, now: float, count: int) -> int:
    """Ask `count` times and return how often it went well."""
    refused = 0
    for _ in range(count):
        try:
            limits.count_request(operation, now)
        except HttpError:
            refused += 1
    return count - refused


@pytest.mark.parametrize(
    ("operation", "burst", "steady"),
    [
        ("get_accounts", 1, 15),
        ("get_list with profile_count", 1, 15),
        ("get_lists_for_profile", 3, 60),
        ("bulk_import_profiles", 10, 150),
        ("get_bulk_import_profiles_job", 10, 150),
        ("remove_profiles_from_list", 10, 150),
        ("get_profiles_for_list", 75, 750),
        ("get_profiles", 75, 750),
    ],
)
def test_an_endpoint_has_limits_per_second_and_minute(operation: str, burst: int, steady: int) -> None:
    """Fixed windows: the burst comes back with the next second, the steady quota with the next minute."""
    limits = FixedWindowLimiter()
    start = NOON - NOON % 60
    assert [taken(limits, operation, start + second, burst + 5) for second in range(2)] == [burst, burst]
    later = sum(taken(limits, operation, start + second, burst) for second in range(2, 60))
    assert 2 * burst + later == min(steady, 60 * burst)
    assert taken(limits, operation, start + 60, burst + 5) == burst


def test_lists_are_created_at_most_a_hundred_and_fifty_times_a_day() -> None:
    limits, day = FixedWindowLimiter(), NOON - NOON % 86_400
    passed = sum(taken(limits, "create_list", day + second, 10) for second in range(7200))
    assert passed == 150
    with pytest.raises(HttpError) as refusal:
        limits.count_request("create_list", day + 7200)
    assert refusal.value.headers == {"Retry-After": str(86_400 - 7200)}
    assert taken(limits, "create_list", day + 86_400, 1) == 1


def test_the_wait_is_for_the_last_window_that_is_full() -> None:
    limits, start = FixedWindowLimiter(), NOON - NOON % 60
    assert sum(taken(limits, "bulk_import_profiles", start + second, 10) for second in range(15)) == 150
    with pytest.raises(HttpError) as refusal:
        limits.count_request("bulk_import_profiles", start + 14.5)
    assert refusal.value.headers == {"Retry-After": "46"}


def test_each_endpoint_has_a_quota_of_its_own() -> None:
    limits = FixedWindowLimiter()
    assert taken(limits, "get_accounts", NOON, 5) == 1
    assert all(taken(limits, operation, NOON, 1) == 1 for operation in QUOTAS if operation != "get_accounts")


def test_a_refused_request_is_not_counted() -> None:
    """Asking too early does not move the end of the window, and costs no quota."""
    limits, start = FixedWindowLimiter(), NOON - NOON % 60
    taken(limits, "bulk_import_profiles", start, 500)
    assert limits.count_request("bulk_import_profiles", start + 1)["RateLimit-Remaining"] == "9"
    later = sum(taken(limits, "bulk_import_profiles", start + second, 10) for second in range(2, 60))
    assert later == 150 - 10 - 1


def test_headers_have_the_form_of_recorded_replies() -> None:
    """The window with the fewest requests left comes first and is described; then every window is named."""
    limits, start = FixedWindowLimiter(), NOON - NOON % 60
    burst = limits.count_request("bulk_import_profiles", start + 0.25)
    assert burst == {
        "RateLimit-Limit": "10, 10;w=1, 150;w=60",
        "RateLimit-Remaining": "9",
        "RateLimit-Reset": "0",
    }
    assert sum(taken(limits, "bulk_import_profiles", start + second, 10) for second in range(1, 15)) == 140
    minute = limits.count_request("bulk_import_profiles", start + 20.5)
    assert minute == {
        "RateLimit-Limit": "150, 10;w=1, 150;w=60",
        "RateLimit-Remaining": "8",
        "RateLimit-Reset": "39",
    }
    assert (
        limits.count_request("create_list", start)["RateLimit-Limit"] == "10, 10;w=1, 150;w=60, 150;w=86400"
    )


def test_headers_are_on_every_reply_and_a_429_tells_only_the_wait() -> None:
    """RateLimit-* on every other reply; Retry-After, in whole seconds, only on a 429."""
    with Sandbox(None, clock=QuickClock()) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            first, second = caller.ask("GET", "/api/accounts"), caller.ask("GET", "/api/accounts")
    assert (first.status_code, first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == (
        200,
        "1, 1;w=1, 15;w=60",
        "0",
    )
    assert first.headers["RateLimit-Reset"] == "0"
    assert "Retry-After" not in first.headers
    assert (second.status_code, second.headers["Retry-After"]) == (429, "1")
    assert not [name for name in second.headers if name.lower().startswith("ratelimit")]
    (error,) = second.json()["errors"]
    assert (error["code"], error["source"]) == ("throttled", {"pointer": "/data"})
    assert list(error["links"]) == ["type"]


def test_other_refusals_have_rate_limit_headers_too(caller: Caller) -> None:
    """A 404 is counted like any other request; without limits there are no such headers."""
    assert "RateLimit-Limit" not in caller.ask("GET", "/api/lists/nobody").headers
    with Sandbox(None) as sandbox:
        counted = Caller(sandbox)
        with counted.session:
            assert counted.ask("GET", "/api/lists/nobody").headers["RateLimit-Remaining"] == "74"


def test_windows_pass_on_the_sandboxs_clock() -> None:
    """One request a second, and fifteen a minute, of a new minute too."""
    clock = QuickClock()
    with Sandbox(None, clock=clock) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            passed = []
            for _ in range(120):
                passed.append(caller.ask("GET", "/api/accounts").status_code == 200)
                clock.leap(1.0)
    assert sum(passed) == 30
    assert passed.index(False) == 15
    assert passed.index(True, 15) == 60


def test_the_date_is_the_sandboxs() -> None:
    """A client that lives by the replies' Date lives by the sandbox's clock."""
    clock = QuickClock()
    with Sandbox(None, clock=clock) as sandbox:
        caller = Caller(sandbox)
        with caller.session:
            dates = []
            for _ in range(2):
                dates.append(sandbox_seconds(caller.ask("GET", JOBS).headers["Date"]))
                clock.leap(90.0)
    assert dates == [clock.now() - 180.0, clock.now() - 90.0]


def sandbox_seconds(date: str) -> float:
    """Return the seconds since the epoch of a Date header."""
    return parsedate_to_datetime(date).timestamp()
