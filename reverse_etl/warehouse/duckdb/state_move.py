"""Moves a DuckDB state from a place that the profile does not name to the one where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from reverse_etl.errors import UsageError
from reverse_etl.warehouse.duckdb.copies import move_file
from reverse_etl.warehouse.duckdb.errors import open_error, unreadable_error
from reverse_etl.warehouse.duckdb.places import find_state

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH_HINT: Final = "Give the path of the old state file."


def move_state_file(settings: Mapping[str, Any], state_path: str, source: str) -> Path:
    """Move a state file to the place of the output's state, and return that place.

    Raises UsageError if the source is not a state, or a state exists already; WarehouseError while another
    process uses the source.
    """
    old, place = Path.cwd() / Path(source).expanduser(), find_state(settings, state_path)
    where = f"reverse-etl state move --from {source}"
    if not old.is_file():
        raise UsageError.of("There is no such file.", where=where, hint=_PATH_HINT)
    if place.found is not None and not place.found.samefile(old):
        raise UsageError.of(
            "There are two states, and nothing says which of them is the right one.",
            where=f"{old} and {place.found}",
            hint="Keep the one that the last good run wrote, and move the other away. If in doubt, it is the "
            "one that was changed last.",
        )
    _require_state(old, where)
    if not place.path.parent.is_dir():
        raise UsageError.of(
            f"There is no folder {place.path.parent}.", where=where, hint="Create it, or correct state_path."
        )
    move_file(old, place.path)
    return place.path


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
