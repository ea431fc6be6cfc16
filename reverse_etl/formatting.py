"""The parts of sentences for people: numbers with their nouns, shares, and the end."""

from __future__ import annotations

from pathlib import Path


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, with commas in thousands.

    >>> counted(1, "row"), counted(2000, "row"), counted(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share of 1 in per cent, to three digits.

    >>> percent(0.1), percent(59 / 60), percent(0.1004)
    ('10 %', '98.3 %', '10.04 %')
    """
    return f"{share * 100:.4g} %" if share * 100 < _FEW else f"{share * 100:.3g} %"


def sentence(text: str) -> str:
    """Return a text that ends as a sentence does.

    >>> sentence("No connection"), sentence("No such table!")
    ('No connection.', 'No such table!')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


_FEW = 20  # per cent: below, a guard's limit is near


def shown(path: Path) -> str:
    """Return `path` relative where it lies under the current folder, else absolute."""
    absolute = Path.cwd() / path
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(absolute)


def at(path: Path, line: int | None = None, column: int | None = None) -> str:
    """Return the path with a line and a column, both counted from 1, as far as they are known."""
    parts = [shown(path)]
    if line is not None:
        parts.append(str(line))
        if column is not None:
            parts.append(str(column))
    return ":".join(parts)
