"""Timestamps as the state stores them: ISO 8601, UTC, milliseconds. Their text order is their time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CLOCK_SKEW_TOLERANCE = timedelta(minutes=1)  # between the Date of Klaviyo's replies and its stored timestamps


def format_epoch_seconds(seconds: float) -> str:
    """Return a timestamp from seconds since the epoch."""
    return format_timestamp(datetime.fromtimestamp(seconds, UTC))


def format_timestamp(when: datetime) -> str:
    """Return a timestamp from an aware datetime."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_timestamp(text: str) -> datetime:
    """Return the aware datetime of a timestamp; the inverse of `format_timestamp`."""
    return datetime.fromisoformat(text)


def localize(when: datetime, timezone: str) -> datetime:
    """Return an aware datetime in a time zone by its name; "" is UTC."""
    return when.astimezone(ZoneInfo(timezone) if timezone else UTC)
