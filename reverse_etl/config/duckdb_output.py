"""Read a DuckDB output as dbt-duckdb does: its main file, its attached databases, and what dbt calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from reverse_etl.formatting import hide_passwords

MEMORY: Final = ":memory:"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Databases that DuckDB or reverse-etl has in a session.
RESERVED_DATABASES: Final = frozenset({"memory", "temp", "system", "reverse_etl_state"})
_TAKEN_NAMES: Final = RESERVED_DATABASES | {"main"}  # DuckDB gives no database the name of its schema
_SERVICES: Final = {"md": "MotherDuck", "motherduck": "MotherDuck", "ducklake": "a DuckLake"}
_FILE_HINT: Final = (
    "Let dbt build the tables that your models read into a file (path: shop.duckdb), and attach {service} to "
    "that output in dbt (attach: [{{path: '{path}', alias: lake}}]), so that dbt reads from it."
)


@dataclass(frozen=True)
class Attachment:
    """A database to attach. `path` may be a URL, and `options` may hold secrets."""

    path: str
    name: str
    type: str = ""
    secret: str = ""
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)

    @property
    def is_file(self) -> bool:
        """Return whether it is a DuckDB file."""
        return self.type.lower() in {"", "duckdb"} and "://" not in self.path


def database_name(path: str) -> str:
    """Return what DuckDB calls the database of a file: the file's name up to its first dot.

    >>> database_name("data/shop.dev.duckdb"), database_name("/srv/.hidden.duckdb")
    ('shop', 'hidden')
    """
    return PurePath(path).name.lstrip(".").split(".")[0]


def service_name(path: str) -> str:
    """Return what a path leads to, if it is not a file that can be attached alone; otherwise ''.

    >>> service_name("md:shop"), service_name("ducklake:shop.ducklake"), service_name("shop.duckdb")
    ('MotherDuck', 'a DuckLake', '')
    """
    return _SERVICES.get(path.partition(":")[0].lower(), "")


def main_path(settings: Mapping[str, Any]) -> str:
    """Return the path of the file in which dbt builds: `path`, or that of the attached `database`.

    It is ':memory:' if there is none.
    """
    path = str(settings.get("path") or MEMORY)
    if path != MEMORY:
        return path
    database = str(settings.get("database") or "")
    attached = (entry for entry in read_attachments(settings) if entry.name == database and entry.is_file)
    return next((entry.path for entry in attached), MEMORY)


def read_attachments(settings: Mapping[str, Any]) -> Iterator[Attachment]:
    """Yield the attached databases, without those of MotherDuck and DuckLake, which are not files."""
    for entry in _raw_attachments(settings):
        path, options = str(entry["path"]), dict(entry.get("options") or {})
        if _entry_service(entry):
            continue
        yield Attachment(
            path=path,
            name=str(entry.get("alias") or database_name(path)),
            type=str(entry.get("type") or options.pop("type", "") or ""),
            secret=str(entry.get("secret") or options.pop("secret", "") or ""),
            options=tuple(
                (str(key), value)
                for key, value in options.items()
                if str(key).lower() not in {"type", "secret", "read_only", "readonly", "read_write"}
            ),
        )


def unreadable_databases(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what each attached database is that no model can read, by its name in lower case."""
    return {
        str(entry.get("alias") or database_name(str(entry["path"]).partition(":")[2])).lower(): service
        for entry in _raw_attachments(settings)
        if (service := _entry_service(entry))
    }


def default_database(settings: Mapping[str, Any]) -> str:
    """Return the database in which dbt builds: `database`, or the name of the file."""
    return str(settings.get("database") or database_name(main_path(settings)))


OutputProblem = tuple[str, str, str]  # summary, key and hint


def find_path_problem(settings: Mapping[str, Any]) -> OutputProblem | None:
    """Return the problem of `path` or `database`, or None if there is none."""
    if settings.get("path") == "":  # it could not be rendered, which is another problem
        return None
    return _find_file_problem(settings) or _find_name_problem(settings)


def _find_file_problem(settings: Mapping[str, Any]) -> OutputProblem | None:
    """Return the problem of an output whose database is not a file."""
    path, database = str(settings.get("path") or MEMORY), str(settings.get("database") or "")
    if service := service_name(path):
        hint = _FILE_HINT.format(service=service, path=hide_passwords(path))
        return (
            f"The output's path leads to {service}, which is not a file that can be read alone.",
            "path",
            hint,
        )
    if service := unreadable_databases(settings).get(database.lower(), ""):
        hint = (
            "Let dbt build the tables that your models read into the file of path; there it can read from "
            f"{database}. Remove database from the output, or add a target without it."
        )
        return f"dbt builds in {database}, which is {service} and cannot be read.", "database", hint
    if main_path(settings) == MEMORY:
        summary = "The duckdb output has no file: what dbt builds in memory is lost when dbt exits."
        return summary, "path", "Set path to the file that dbt builds, for example path: shop.duckdb"
    return None


def _find_name_problem(settings: Mapping[str, Any]) -> OutputProblem | None:
    """Return the problem of the name of a database."""
    names, database = _database_names(settings), str(settings.get("database") or "")
    taken = [name for name in names if name.lower() in _TAKEN_NAMES]
    if taken:
        summary = (
            f"A database is called {taken[0]}, a name that is taken in every session with the warehouse."
        )
        hint = "Rename the file and let dbt build it under the new name, or give it another alias."
        return summary, "path", hint
    if database and database not in names:
        hint = (
            f"As in dbt, write database: {names[0]} or the alias of an attached database. "
            "You can also remove it."
        )
        return f"The output's database is {database}, but dbt calls its file {names[0]}.", "database", hint
    return None


def _database_names(settings: Mapping[str, Any]) -> list[str]:
    path = str(settings.get("path") or MEMORY)
    main = [database_name(path)] if path != MEMORY else []
    return [*main, *(entry.name for entry in read_attachments(settings))]


def is_attachment(entry: object) -> bool:
    """Return whether an entry of `attach` has a path, and plain words as type, secret and option names."""
    if not isinstance(entry, Mapping) or "path" not in entry:
        return False
    options = entry.get("options") or {}
    if not isinstance(options, Mapping):
        return False
    words = (entry.get("type"), entry.get("secret"), options.get("type"), options.get("secret"), *options)
    return all(not word or _NAME.fullmatch(str(word)) for word in words)


def _raw_attachments(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    entries = settings.get("attach")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and "path" in entry:
            yield entry


def _entry_service(entry: Mapping[str, Any]) -> str:
    is_ducklake = entry.get("is_ducklake") is True or str(entry.get("type")).lower() == "ducklake"
    return "a DuckLake" if is_ducklake else service_name(str(entry["path"]))
