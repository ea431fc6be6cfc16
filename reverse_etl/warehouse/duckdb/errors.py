"""Errors of DuckDB as errors of this program, with the next step."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

from reverse_etl.errors import ReverseEtlError, StateUnreadable, WarehouseError, WarehouseUnavailable
from reverse_etl.formatting import end_sentence, hide_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.warehouse.statement import Statement


@contextmanager
def translate_errors(statement: Statement) -> Iterator[None]:
    """Raise DuckDB's errors as WarehouseError; as WarehouseUnavailable if the statement may be right."""
    try:
        yield
    except duckdb.Error as error:
        error_class = WarehouseUnavailable if _is_unavailable(error) else WarehouseError
        raise error_class.of(
            f"DuckDB: {end_sentence(error_message(error))}",
            where=statement.excerpt,
            hint=_error_hint(error),
        ) from error


def _is_unavailable(error: duckdb.Error) -> bool:
    """Return whether a database is out of reach or busy; an attached one says so in words of its own."""
    unavailable = (duckdb.OutOfMemoryException, duckdb.ConnectionException)
    return isinstance(error, unavailable) or bool(_UNAVAILABLE.search(str(error)))


def _error_hint(error: duckdb.Error) -> str:
    match error:
        case duckdb.OutOfMemoryException():
            return _MEMORY_HINT
        case duckdb.PermissionException() if "disabled" in str(error):
            return _FILE_ACCESS_HINT
        case _ if _EXTENSION.search(_without_names(error)):
            return EXTENSION_HINT
        case _ if re.search(_DAMAGED_FILE, _without_names(error)):
            return _DAMAGED_FILE_HINT
        case _ if _DISK.search(_without_names(error)):
            return _DISK_HINT
        case _:
            return "It is safe to run again."


def _without_names(error: duckdb.Error) -> str:
    """Return what DuckDB says without what it quotes: a path or a table may be called as a fault."""
    return re.sub(r"""(?<!\w)(["']).*?\1""", "''", str(error))


_LOCK: Final = re.compile(r"(?i)\block(ed)?\b|used by another process")
_EXTENSION: Final = re.compile(r"(?i)\bextension\b")
_DISK: Final = re.compile(
    "No space left|Disk quota exceeded|Read-only file system|Input/output error|"
    "Permission denied|Operation not permitted|Too many open files"
)
_DISK_HINT = (
    "Check the file's disk, its free space and the permissions of its folder. It is safe to run again."
)
_UNAVAILABLE: Final = re.compile(r"(?i)database is locked|unable to connect|connection to server")
EXTENSION_HINT = (
    "reverse-etl downloads no extension. Install it once with DuckDB (INSTALL name), or run dbt with "
    "extensions: [name] in the output; list it there, so that it is loaded."
)
_FILE_ACCESS_HINT = (
    "A view that the model reads is over a file, and models read no files. Let dbt build it as a table "
    "(materialized: table)."
)
_DAMAGED_FILE = r"(?i)could not read enough bytes|corrupt|checksum|failed to deserialize|not a valid DuckDB"
_DAMAGED_STATE_HINT = (
    "It may be damaged or incomplete. Restore it from a backup before you run again: without its state, a "
    "run sends every row again and removes nobody who left before."
)
_DAMAGED_FILE_HINT = (
    "A DuckDB file is damaged or incomplete. If it is the state, restore it from a backup before you run "
    "again; if it is the warehouse, build it again with dbt."
)
_MEMORY_HINT = "Let it have more, as in settings: {memory_limit: 2GB} of the output. It is safe to run again."
PATH_LOCATION = "path of the output in profiles.yml"
PATH_HINT = (
    "A relative path starts at the current folder, as in dbt. Correct the path, or run dbt build first."
)


def open_error(path: str, error: duckdb.Error, *, is_state: bool) -> ReverseEtlError:
    """Return the error of a file that could not be opened, perhaps because another process holds it."""
    path = hide_passwords(path)
    if not _LOCK.search(_without_names(error)):
        return unreadable_error(path, error, is_state=is_state)
    holder = re.search(r"Conflicting lock is held in (.+?)\.? See also", str(error))
    return WarehouseError.of(
        f"Another process holds the DuckDB file{': ' + holder.group(1) if holder else ''}.",
        where=path,
        hint="It may be a running dbt, another run of this job, or a database tool. "
        "Wait for it, or close it.",
    )


def unreadable_error(path: str, error: duckdb.Error, *, is_state: bool) -> ReverseEtlError:
    """Return the error of a file or database that cannot be attached.

    It is not safe to run again while the state can't be read, so that this is not a failure that passes.
    """
    path = hide_passwords(path)
    if _EXTENSION.search(_without_names(error)):
        return WarehouseError.of(
            f"DuckDB could not attach a database. {end_sentence(error_message(error))}",
            where=path,
            hint=EXTENSION_HINT,
        )
    subject = "The state can't be read. " if is_state else ""
    summary = f"{subject}DuckDB could not open the file. {end_sentence(error_message(error))}"
    if _DISK.search(_without_names(error)):
        return WarehouseUnavailable.of(summary, where=path, hint=_DISK_HINT)
    if is_state:
        return StateUnreadable.of(summary, where=path, hint=_DAMAGED_STATE_HINT)
    return WarehouseError.of(
        summary,
        where=path,
        hint="Correct path of the output in profiles.yml, or build the file again with dbt.",
    )


def error_message(error: BaseException) -> str:
    """Return what DuckDB says and proposes, without the value that did not fit: it may be somebody's."""
    message, *rest = hide_passwords(str(error)).split("\n")
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        message = re.sub(r"""(?:string |value )?(?<!\w)(["']).*\1(?!\w)""", "a value", message)
    hints = [
        line.strip()
        for line in rest
        if line.startswith(("Did you mean", "Candidate bindings"))
        and not re.search("pg_catalog|information_schema", line)
    ]
    return " ".join([message, *hints])
