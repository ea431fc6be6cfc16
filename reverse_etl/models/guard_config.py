"""The limits of guards as a model's `config()` has them: a share, or a mapping of share, floor and cap."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.surfaces.interface import GuardLimit

_KEYS: Final = ("share", "floor", "cap")
_SHARE_HINT: Final = "It is a share: 0.1 is 10 %."
_EXAMPLE: Final = "For example: 0.1 for 10 %, or {'share': 0.1, 'floor': 10, 'cap': 500000}"


def read_limit(value: Any, name: str) -> dict[str, float]:
    """Return the parts of a limit that a config sets. Raises AdviceError if one of them is not usable.

    A share of adds, updates and rejected rows may be above 1; no list can lose more rows than it has.
    """
    parts = value if isinstance(value, dict) else {"share": value}
    if unknown := [key for key in parts if key not in _KEYS]:
        raise AdviceError(f"{unknown[0]} is not a key of {name}.", did_you_mean(str(unknown[0]), _KEYS))
    for key, number in parts.items():
        label = f"{name}.{key}" if isinstance(value, dict) else name
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise AdviceError(f"{label} must be a number.", _EXAMPLE)
        if not (number >= 0 and math.isfinite(number)):
            raise AdviceError(f"{label} must be at least 0.", _SHARE_HINT if key == "share" else _EXAMPLE)
        if key == "share" and name == "max_removes" and number > 1:
            raise AdviceError(f"{label} must be at most 1.", _SHARE_HINT)
        if key != "share" and number != int(number):
            raise AdviceError(f"{label} must be a whole number.", _EXAMPLE)
    return {str(key): float(number) for key, number in parts.items()}


def override_limit(limit: GuardLimit, parts: Mapping[str, float]) -> GuardLimit:
    """Return a limit with the parts that a config sets."""
    return replace(
        limit,
        share=parts.get("share", limit.share),
        floor=int(parts.get("floor", limit.floor)),
        cap=int(parts.get("cap", limit.cap)),
    )
