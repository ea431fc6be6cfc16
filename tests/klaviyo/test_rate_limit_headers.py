"""The RateLimit headers, in the documented form and in the form of recorded replies."""

from __future__ import annotations

import pytest

from reverse_etl.klaviyo.rate_limit import Quota
from reverse_etl.klaviyo.rate_limit_headers import parse_quota, parse_windows


def headers(limit: str | None, remaining: str, reset: str) -> dict[str, str]:
    """Return the headers of a reply."""
    told = {} if limit is None else {"ratelimit-limit": limit}
    return {**told, "ratelimit-remaining": remaining, "ratelimit-reset": reset}


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "quota"),
    [
        ("150", "149", "58", Quota(149, 58, 60)),
        (None, "149", "58", Quota(149, 58, 60)),
        ("10, 10;w=1, 150;w=60", "9", "0", Quota(9, 0, 1)),
        ("150, 10;w=1, 150;w=60", "3", "41", Quota(3, 41, 60)),
        ("10,10;w=1,150;w=60,150;w=86400", "9", "0", Quota(9, 0, 1)),
        ("150, 10;w=1, 150;w=60, 150;w=86400", "12", "30", Quota(12, 30, 60)),
        ("150, 10;w=1, 150;w=60, 150;w=86400", "0", "7200", Quota(0, 7200, 86_400)),
        ("2, 1;w=1, 2;w=60, 225;w=86400", "1", "10", Quota(1, 10, 60)),
        (" 10 , 10 ; w=1 , 150 ; w=60 ", " 9 ", " 0 ", Quota(9, 0, 1)),
        ("7, 10;w=1, 150;w=60", "1", "2", Quota(1, 2, 60)),
        ("10, 10;w=1, 150;w=60", "9.0", "0.25", Quota(9, 0.25, 1)),
        ("many, 10;w=one", "1", "2", Quota(1, 2, 60)),
    ],
)
def test_the_window_is_the_one_whose_limit_comes_first(
    limit: str | None, remaining: str, reset: str, quota: Quota
) -> None:
    """The minute if no window is named, or none fits; of equal limits the one that the reset fits in."""
    assert parse_quota(headers(limit, remaining, reset)) == quota


@pytest.mark.parametrize("number", ["", "soon", "-1", "٣", "²", "9" * 5_000, "1e9", "0x9"])
def test_numbers_of_another_form_say_nothing(number: str) -> None:
    """No quota is better than a wrong one; nothing fails."""
    windows = "10, 10;w=1, 150;w=60"
    assert parse_quota(headers(windows, number, "0")) is None
    assert parse_quota(headers(windows, "9", number)) is None
    assert parse_windows({"ratelimit-limit": f"{number}, {number};w=1, 150;w=60"}) == {60: 150}


def test_every_window_is_named_after_the_limit() -> None:
    """The documented form names none; a window without a length is none."""
    assert parse_windows({"ratelimit-limit": "10, 10;w=1, 150;w=60, 150;w=86400"}) == {
        1: 10,
        60: 150,
        86_400: 150,
    }
    assert parse_windows({"ratelimit-limit": "150"}) == parse_windows({}) == {}
    assert parse_windows({"ratelimit-limit": "10, 10;w=0, 150;w=60"}) == {60: 150}
