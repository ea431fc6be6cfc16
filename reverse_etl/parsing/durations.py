"""Durations as text: `30m`, `24h`, `2d`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"([1-9]\d{0,6})\s*([smhd])")


def parse_duration(text: str) -> int | None:
    """Return the seconds of a duration such as `24h`, or None if the text is not a duration."""
    match = _DURATION.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2]] if match else None


def format_duration(seconds: float) -> str:
    """Return a duration in its largest unit that counts at least two, rounded down: `26h`, `90s`."""
    whole_seconds = max(int(seconds), 0)
    for unit, size in _UNITS.items():
        if whole_seconds >= 2 * size:
            return f"{whole_seconds // size}{unit}"
    return f"{whole_seconds}s"
