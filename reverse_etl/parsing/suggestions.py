"""The nearest of the names that exist, for the end of an error message."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_NAMES_SHOWN = 16


def find_nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that `name` was most likely meant to be, compared without regard to case, or None."""
    by_folded = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return advice for someone who wrote `name`: the nearest name, then every name where they are few.

    Empty when there are no names. The order of `names` is kept.
    """
    known_names = list(dict.fromkeys(names))
    if not known_names:
        return ""
    guess = find_nearest(name, known_names)
    suggestion = f"Did you mean {guess}? " if guess else ""
    if len(known_names) == 1:
        return suggestion.strip() or f"The only one is {known_names[0]}."
    shown = ", ".join(known_names[:_MAX_NAMES_SHOWN])
    more = f" and {len(known_names) - _MAX_NAMES_SHOWN} more" if len(known_names) > _MAX_NAMES_SHOWN else ""
    return f"{suggestion}There are: {shown}{more}."
