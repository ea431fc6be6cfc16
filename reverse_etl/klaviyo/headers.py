"""Parse headers of replies. Whatever a header holds, parsing it does not raise."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Response

_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(\.\d{0,15})?", re.ASCII)


def parse_number_header(response: Response, name: str) -> float | None:
    """Return a header's number, or None if it is missing or not a plain decimal number."""
    return parse_number(response.headers.get(name, ""))


def parse_number(text: str) -> float | None:
    """Return a plain decimal number of at most 15 digits before the point, or None.

    >>> [parse_number(text) for text in ("3", " 1.5 ", "-2", "1e9", "nan", "", "9" * 5_000)]
    [3.0, 1.5, -2.0, None, None, None, None]
    """
    return float(text) if _NUMBER.fullmatch(text := text.strip()) else None


def parse_date(response: Response, name: str = "date") -> datetime | None:
    """Return the date in a header, in UTC, or None if there is none."""
    try:
        date = parsedate_to_datetime(response.headers[name])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return to_utc(date)


def to_utc(moment: datetime) -> datetime | None:
    """Return a time in UTC; None if it is so far from today that computing with it could overflow."""
    if not 2 <= moment.year <= 9_998:  # noqa: PLR2004 - the years of datetime, less one at each end
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
