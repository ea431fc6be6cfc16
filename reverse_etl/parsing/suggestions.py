"""Suggest existing names for a misspelt one; for the hints of error messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_NAMES_SHOWN = 16


def find_similar(name: str, names: Iterable[str], limit: int) -> list[str]:
    """Return up to `limit` names similar to `name`, ignoring case, the most similar first."""
    by_folded = {candidate.casefold(): candidate for candidate in names}
    return [by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, limit, cutoff=0.6)]


def find_nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most similar to `name`, ignoring case, or None if none is similar."""
    return next(iter(find_similar(name, names, 1)), None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a hint with the name most similar to `name`, and with up to 16 names in their given order.

    The hint is empty if there are no names.
    """
    known_names = list(dict.fromkeys(names))
    if not known_names:
        return ""
    guess = find_nearest(name, known_names)
    suggestion = f"Did you mean {guess}? " if guess else ""
    if guess and len(known_names) == 1:
        return suggestion.strip()
    names_text = ", ".join(known_names[:_MAX_NAMES_SHOWN])
    more = f" and {len(known_names) - _MAX_NAMES_SHOWN} more" if len(known_names) > _MAX_NAMES_SHOWN else ""
    return f"{suggestion}Available: {names_text}{more}."
