"""A revision of the API is a date; its age decides whether Klaviyo still answers by it."""

from __future__ import annotations

from datetime import date

import pytest

from reverse_etl.klaviyo.revision import (
    API_REVISION,
    describe_revision,
    find_revision_warning,
    parse_revision,
    retirement_date,
)

NEW = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-15", date(2026, 10, 15)),
        ("2026-10-15.pre", date(2026, 10, 15)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2026-13-15", None),
        ("2026-02-29", None),
        ("2026-10-15.", None),
        ("2026-10-15\n", None),
        ("20261015", None),
        ("2026-W42-4", None),
        ("٢٠٢٦-10-15", None),
        ("latest", None),
        ("", None),
    ],
)
def test_a_revision_is_a_day(text: str, day: date | None) -> None:
    """With a suffix for a beta; every other text is none."""
    assert parse_revision(text) == day


def test_the_default_is_a_revision() -> None:
    """And not retired on the day of its release."""
    assert find_revision_warning(API_REVISION, NEW) == ""


@pytest.mark.parametrize(
    ("text", "today", "expected"),
    [
        ("2026-10-15", date(2026, 10, 16), "revision 2026-10-15 (1 day old, retired on 2028-10-15)"),
        ("2026-10-15", date(2026, 10, 1), "revision 2026-10-15 (0 days old, retired on 2028-10-15)"),
        ("2025-10-15.pre", NEW, "revision 2025-10-15.pre (411 days old, retired on 2027-10-15)"),
        ("2024-10-15", NEW, "revision 2024-10-15 (776 days old, retired on 2026-10-15)"),
    ],
)
def test_a_revision_is_described_with_its_age(text: str, today: date, expected: str) -> None:
    """In days, with the day of its retirement."""
    assert describe_revision(text, today) == expected


def test_a_leap_day_is_retired_on_the_first_of_march() -> None:
    """There is no such day two years later."""
    assert retirement_date(date(2028, 2, 29)) == date(2030, 3, 1)


@pytest.mark.parametrize(
    ("text", "today", "words"),
    [
        ("2024-10-15", NEW, "retired revision 2024-10-15 on 2026-10-15"),
        ("2024-11-30", NEW, "retired revision"),
        ("2024-12-01", NEW, "deprecated; Klaviyo retires it on 2026-12-01. Set api_revision to"),
        ("2025-11-30", NEW, "deprecated"),
        ("2025-12-01", NEW, ""),
        (API_REVISION, date(2028, 10, 14), ""),
        (API_REVISION, date(2028, 10, 15), "Upgrade reverse-etl."),
    ],
)
def test_old_revisions_are_warned_of(text: str, today: date, words: str) -> None:
    """Supported for a year, deprecated for another, then refused; our own default only at its end."""
    warning = find_revision_warning(text, today)
    assert words in warning if words else warning == ""
