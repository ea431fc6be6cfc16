"""The revision of Klaviyo's API: a date, which decides how old it may become.

Klaviyo supports a revision for a year, calls it deprecated for another, and then retires it. Requests of a
retired revision are answered by the oldest one that is still there, unless a header asks for an error.
Source: Klaviyo's guide 'API versioning and deprecation policy'.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

API_REVISION: Final = "2026-10-15"
OPT_OUT_HEADER: Final = "x-klaviyo-revision-fall-forward-opt-out"

_REVISION: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(\.[a-z0-9]+)?", re.ASCII)
_YEARS_SUPPORTED: Final = 1
_YEARS_UNTIL_RETIREMENT: Final = 2


def parse_revision(text: str) -> date | None:
    """Return the date of a revision, which may have a suffix such as `.pre`, or None if it has none."""
    match = _REVISION.fullmatch(text)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def deprecation_date(revision: date) -> date:
    """Return the day on which Klaviyo deprecates a revision."""
    return _add_years(revision, _YEARS_SUPPORTED)


def retirement_date(revision: date) -> date:
    """Return the day on which Klaviyo retires a revision."""
    return _add_years(revision, _YEARS_UNTIL_RETIREMENT)


def describe_revision(text: str, today: date) -> str:
    """Return a revision with its age and the day of its retirement.

    >>> describe_revision("2026-10-15", date(2026, 11, 30))
    'revision 2026-10-15 (46 days old, retired on 2028-10-15)'
    """
    revision = parse_revision(text)
    if revision is None:
        return f"revision {text}"
    age = max((today - revision).days, 0)
    days = "1 day" if age == 1 else f"{age} days"
    return f"revision {text} ({days} old, retired on {retirement_date(revision).isoformat()})"


def find_revision_warning(text: str, today: date) -> str:
    """Return a warning for a retired revision, and for a deprecated one that is not the default, or ""."""
    revision = parse_revision(text)
    if revision is None:
        return ""
    advice = (
        f"Set api_revision to {API_REVISION}, or remove it."
        if text != API_REVISION
        else "Upgrade reverse-etl."
    )
    if today >= retirement_date(revision):
        since = retirement_date(revision).isoformat()
        return f"Klaviyo retired revision {text} on {since} and refuses its requests. {advice}"
    if today >= deprecation_date(revision) and text != API_REVISION:
        until = retirement_date(revision).isoformat()
        return f"Revision {text} of Klaviyo's API is deprecated; Klaviyo retires it on {until}. {advice}"
    return ""


def _add_years(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # February 29
        return date(day.year + years, 3, 1)
