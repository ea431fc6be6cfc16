"""Files that are written as a whole: whoever reads one meanwhile finds the old one or the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Put a file in the place of one of that name. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def save(path: Path, content: bytes) -> None:
    """Write the file that somebody asked for.

    Raises UsageError where it can't be there, OSError where the disk fails.
    """
    try:
        replace(path, content)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UsageError.of(
            f"The file can't be written: {error.strerror}.",
            where=str(path),
            advice="Name a file in a folder that exists and that you may write to.",
        ) from error
