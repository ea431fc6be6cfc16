"""Moves a DuckDB state from a path that the profile does not name to the one where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from reverse_etl.errors import UsageError
from reverse_etl.warehouse.duckdb.copies import move_file
from reverse_etl.warehouse.duckdb.errors import open_error, unreadable_error
from reverse_etl.warehouse.duckdb.state_file import find_state_file, two_states_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH_HINT: Final = "Give the path of the old state file."


def move_state_file(settings: Mapping[str, Any], state_path: str, source: str) -> Path:
    """Move a state file to the path of the output's state, and return that path.

    Raises UsageError if the source is not a state, or a state exists already; WarehouseError while another
    process uses the source.
    """
    old, state_file = Path.cwd() / Path(source).expanduser(), find_state_file(settings, state_path)
    where = f"reverse-etl state move --from {source}"
    if not old.is_file():
        raise UsageError.of("There is no such file.", where=where, hint=_PATH_HINT)
    if state_file.existing is not None and not state_file.existing.samefile(old):
        raise two_states_error([old, state_file.existing])
    _require_state(old, where)
    if not state_file.path.parent.is_dir():
        raise UsageError.of(
            f"There is no folder {state_file.path.parent}.",
            where=where,
            hint="Create it, or correct state_path.",
        )
    move_file(old, state_file.path)
    return state_file.path


def _require_state(path: Path, where: str) -> None:
    """Raise UsageError if a file is not a state. Opens it for writing, so that its log is in the file."""
    try:
        with duckdb.connect(str(path)) as connection:
            rows = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            connection.execute("CHECKPOINT")
    except duckdb.IOException as error:
        raise open_error(str(path), error, is_state=True) from None
    except duckdb.Error as error:
        raise unreadable_error(str(path), error, is_state=True) from None
    if not {"meta", "models", "runs"} <= {name for (name,) in rows}:
        raise UsageError.of(f"{path} is not a state of reverse-etl.", where=where, hint=_PATH_HINT)
