"""Copies of a database that a session has open: a backup in a private file, or a copy to work on."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

import duckdb

from reverse_etl.errors import WarehouseError
from reverse_etl.formatting import end_sentence
from reverse_etl.warehouse.statement import quote_identifier, quote_literal

if TYPE_CHECKING:
    from pathlib import Path

_COPY_DATABASE = "reverse_etl_copy"


def keep_copy(connection: duckdb.DuckDBPyConnection, database: str, path: Path) -> None:
    """Write a database to a file that only its user can read. The file appears complete or not at all.

    Raises WarehouseError if it can't be written.
    """
    private_folder = path.with_name(f".{path.name.partition('.')[0]}.reverse_etl.copy")
    try:
        shutil.rmtree(private_folder, ignore_errors=True)  # of a process that was killed
        private_folder.mkdir(mode=0o700)
        try:
            unfinished = private_folder / path.name
            _write_copy(connection, database, unfinished)
            unfinished.chmod(0o600)
            unfinished.replace(path)
        finally:
            shutil.rmtree(private_folder, ignore_errors=True)
    except (OSError, duckdb.Error) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error).split("\n")[0]
        raise WarehouseError.of(
            f"Could not write a copy of the state. {end_sentence(reason)}",
            where=str(path),
            hint="Nothing was changed. Make room for the copy, or let the folder be written, and run again.",
        ) from error


def work_on_copy(connection: duckdb.DuckDBPyConnection, database: str, path: Path) -> None:
    """Replace a database by a copy in a file that is deleted with the session."""
    _write_copy(connection, database, path)
    connection.execute(f"DETACH {quote_identifier(database)}")
    connection.execute(f"ATTACH {quote_literal(str(path))} AS {quote_identifier(database)}")


def _write_copy(connection: duckdb.DuckDBPyConnection, database: str, path: Path) -> None:
    copy = quote_identifier(_COPY_DATABASE)
    connection.execute(f"ATTACH {quote_literal(str(path))} AS {copy}")
    try:
        connection.execute(f"COPY FROM DATABASE {quote_identifier(database)} TO {copy}")
    finally:
        connection.execute(f"DETACH {copy}")


def move_file(old: Path, new: Path) -> None:
    """Move a file that no process has open; on another file system it is copied first.

    Raises WarehouseError where it can't be moved.
    """
    try:
        try:
            old.rename(new)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            unfinished = new.with_name(f".{new.name}.moved")
            shutil.copy2(old, unfinished)
            unfinished.replace(new)
            old.unlink()
    except OSError as error:
        raise WarehouseError.of(
            f"Could not move the state. {end_sentence(error.strerror or str(error))}",
            where=f"{old} to {new}",
            hint="Move it yourself, or name its path: state_path of the destination in profiles.yml.",
        ) from error
