"""Where the warehouse file and the state file are.

A path may lead through a link that moves, such as `current -> releases/7`. The state then lies beside that
link, under a name made from the rest of the path, so that all releases share one state.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl.config.duckdb_output import main_path
from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_STATE_SUFFIX = ".reverse_etl.duckdb"


@dataclass(frozen=True)
class StateFile:
    """The state's file.

    `path` is where it belongs. `existing` is where it is: there, at an older path, or None if there is none.
    """

    path: Path
    existing: Path | None

    @property
    def is_to_be_moved(self) -> bool:
        """Return whether the state is at an older path."""
        return self.existing is not None and self.existing != self.path


def warehouse_path(settings: Mapping[str, Any]) -> Path:
    """Return the path of the file in which dbt builds, as the profile writes it, below the current folder."""
    return Path.cwd() / Path(main_path(settings)).expanduser()


def find_state_file(settings: Mapping[str, Any], state_path: str = "") -> StateFile:
    """Return the file of the state. `state_path` is that of the destination; it goes before all others.

    Raises UsageError if there are two states: nothing says which one is the right one.
    """
    paths = list(dict.fromkeys(_list_paths(settings, state_path)))
    existing: list[Path] = []
    for path in paths:
        if path.is_symlink() and not path.exists():
            raise UsageError.of(
                "The state is a link to a file that is missing.",
                where=str(path),
                hint="Bring the file back, or correct the link.",
            )
        if path.exists() and not any(path.samefile(other) for other in existing):
            existing.append(path)
    if len(existing) > 1:
        raise two_states_error(existing)
    path = _choose_path(paths, state_path)
    if not existing:
        return StateFile(path, None)
    outside = paths.index(existing[0]) < paths.index(path)  # a user with more rights put it there
    return StateFile(existing[0] if outside else path, existing[0])


def two_states_error(paths: Sequence[Path]) -> UsageError:
    """Return the error of two states for one warehouse."""
    return UsageError.of(
        "There are two states, and nothing says which of them is the right one.",
        where=" and ".join(map(str, paths)),
        hint="Keep the one that the last good run wrote, and move the other away. If in doubt, it is the one "
        "that was changed last.",
    )


def _choose_path(paths: list[Path], state_path: str) -> Path:
    """Return the first path whose folder can be written to, or the last one; `state_path` in any case."""
    if state_path:
        return paths[0]
    writable = (path for path in paths if os.access(path.parent, os.W_OK))
    return next(writable, paths[-1])


def _list_paths(settings: Mapping[str, Any], state_path: str) -> Iterator[Path]:
    """Yield `state_path`, then the paths beside each link of the warehouse's path, then beside its file."""
    if state_path:
        yield Path.cwd() / Path(state_path).expanduser()
    written = Path(main_path(settings))
    folder, parts = _split_root(written)
    for number, part in enumerate(parts):
        if (folder / part).is_symlink() and folder != Path(folder.anchor):
            yield _state_path(folder, parts[number:])
        folder /= part
    resolved = warehouse_path(settings).resolve()
    yield _state_path(resolved.parent, (resolved.name,))


def _split_root(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder at which a path starts, and the parts that the profile writes."""
    if path.is_absolute():
        return Path(path.anchor), path.parts[1:]
    if path.parts and path.parts[0].startswith("~"):
        return Path(path.parts[0]).expanduser(), path.parts[1:]
    return Path.cwd(), path.parts


def _state_path(folder: Path, parts: tuple[str, ...]) -> Path:
    """Return the state's path: `current/shop.duckdb` has `current+shop.reverse_etl.duckdb`."""
    return folder / f"{'+'.join((*parts[:-1], Path(parts[-1]).stem))}{_STATE_SUFFIX}"
