"""The nearest of the names that exist, for the end of an error message."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 16


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that `name` was most likely meant to be, compared without regard to case, or None."""
    by_folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def choice(name: str, names: Iterable[str]) -> str:
    """Return advice for someone who wrote `name`: the nearest name, then every name where they are few.

    Empty when there are no names. The order of `names` is kept.
    """
    known = list(dict.fromkeys(names))
    if not known:
        return ""
    guess = nearest(name, known)
    meant = f"Did you mean {guess}? " if guess else ""
    if len(known) == 1:
        return meant.strip() or f"The only one is {known[0]}."
    shown = ", ".join(known[:_LONGEST])
    more = f" and {len(known) - _LONGEST} more" if len(known) > _LONGEST else ""
    return f"{meant}There are: {shown}{more}."
