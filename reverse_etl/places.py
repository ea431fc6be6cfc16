"""Where something stands, as an error message names it: `models/vip.sql:3:5`."""

from __future__ import annotations

from pathlib import Path


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
