"""Parts of messages: numbers with nouns, percentages, full stops, paths and locations."""

from __future__ import annotations

from pathlib import Path


def format_count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with thousands separators and its noun.

    >>> format_count(1, "row"), format_count(2000, "row"), format_count(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def format_percent(share: float) -> str:
    """Return a share of 1 as a percentage of three significant digits, or four below 20 %.

    >>> format_percent(0.1), format_percent(59 / 60), format_percent(0.1004)
    ('10 %', '98.3 %', '10.04 %')
    """
    return f"{share * 100:.4g} %" if share * 100 < _PRECISE_BELOW else f"{share * 100:.3g} %"


def end_sentence(text: str) -> str:
    """Return `text` with a full stop, unless it already ends a sentence.

    >>> end_sentence("No connection"), end_sentence("No such table!")
    ('No connection.', 'No such table!')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


_PRECISE_BELOW = 20  # per cent: guard limits are in this range, and 10.04 % must not read as 10 %


def format_path(path: Path) -> str:
    """Return `path` relative to the current folder if it lies below it, otherwise the absolute path."""
    absolute = Path.cwd() / path
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(absolute)


def format_location(path: Path, line: int | None = None, column: int | None = None) -> str:
    """Return `path:line:column`; line and column count from 1 and are left out if unknown."""
    parts = [format_path(path)]
    if line is not None:
        parts.append(str(line))
        if column is not None:
            parts.append(str(column))
    return ":".join(parts)
