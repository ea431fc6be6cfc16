"""Spans of time as people write them: `30m`, `24h`, `2d`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"([1-9]\d{0,6})\s*([smhd])")


def span_seconds(text: str) -> int | None:
    """Return the seconds of a span such as `24h`; None where the text is none."""
    found = _WRITTEN.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2]] if found else None


def span_text(seconds: float) -> str:
    """Return a span in the largest unit of which it has at least two, rounded down: `26h`, `90s`."""
    whole = max(int(seconds), 0)
    for unit, size in _UNITS.items():
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
