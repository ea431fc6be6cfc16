"""The parts of sentences for people: numbers with their nouns, shares, and the end."""

from __future__ import annotations

from pathlib import Path


def format_count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, with commas in thousands.

    >>> format_count(1, "row"), format_count(2000, "row"), format_count(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def format_percent(share: float) -> str:
    """Return a share of 1 in per cent, to three digits.

    >>> format_percent(0.1), format_percent(59 / 60), format_percent(0.1004)
    ('10 %', '98.3 %', '10.04 %')
    """
    return f"{share * 100:.4g} %" if share * 100 < _PRECISE_BELOW else f"{share * 100:.3g} %"


def end_sentence(text: str) -> str:
    """Return a text that ends as a sentence does.

    >>> end_sentence("No connection"), end_sentence("No such table!")
    ('No connection.', 'No such table!')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


_PRECISE_BELOW = 20  # per cent: below, a guard's limit is near


def format_path(path: Path) -> str:
    """Return `path` relative where it lies under the current folder, else absolute."""
    absolute = Path.cwd() / path
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(absolute)


def format_location(path: Path, line: int | None = None, column: int | None = None) -> str:
    """Return the path with a line and a column, both counted from 1, as far as they are known."""
    parts = [format_path(path)]
    if line is not None:
        parts.append(str(line))
        if column is not None:
            parts.append(str(column))
    return ":".join(parts)
