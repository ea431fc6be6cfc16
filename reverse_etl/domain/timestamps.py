"""Moments as the state writes them: ISO 8601 in UTC, to the millisecond, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

CLOCK_SKEW_TOLERANCE = timedelta(
    minutes=1
)  # by so much the times that Klaviyo notes and the Date of its replies may differ


def format_epoch_seconds(seconds: float) -> str:
    """Return seconds since the epoch as text."""
    return format_timestamp(datetime.fromtimestamp(seconds, UTC))


def format_timestamp(when: datetime) -> str:
    """Return an aware datetime as text."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_timestamp(text: str) -> datetime:
    """Return the aware datetime that `format_timestamp` wrote."""
    return datetime.fromisoformat(text)
