"""The session settings of a dbt-duckdb output, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverse_etl.errors import Problem, UsageError

# They change what SQL means, also that of this job, or close the doors that the job opens and closes itself.
_IGNORED_SETTINGS = frozenset(
    {
        *("default_order", "default_null_order", "null_order", "default_collation", "integer_division"),
        *("order_by_non_integer_literal", "lock_configuration", "enable_external_access"),
    }
)


@dataclass(frozen=True)
class SessionSettings:
    """The extensions to load, the settings and threads, and the other files to attach, each with its name."""

    extensions: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    threads: int | None = None
    attachments: tuple[tuple[Path, str], ...] = ()


def session_settings(output: Mapping[str, Any], locations: Mapping[str, str]) -> SessionSettings:
    """Return what an output asks of its session. `locations` says of its keys where they were written.

    Settings that change what SQL means are left out. Raises UsageError with everything of a wrong shape.
    """
    problems = [
        Problem(
            f"{key} of a DuckDB output is not {expected}.",
            locations.get(key, _OUTPUT_LOCATION),
            f"As in dbt, write: {example}",
        )
        for key, is_valid, expected, example in _EXPECTED_SETTINGS
        if output.get(key) is not None and not is_valid(output[key])
    ]
    if problems:
        raise UsageError(*problems)
    settings = output.get("settings") or {}
    return SessionSettings(
        extensions=tuple(
            str(extension["name"] if isinstance(extension, Mapping) else extension)
            for extension in output.get("extensions") or ()
        ),
        settings=tuple(
            (str(key), str(value))
            for key, value in settings.items()
            if str(key).lower() not in _IGNORED_SETTINGS
        ),
        threads=max(int(output["threads"]), 1) if output.get("threads") else None,
        attachments=tuple(_attachments(output)),
    )


def _attachments(output: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for attachment in output.get("attach") or ():
        path = Path(str(attachment["path"]))
        yield path, str(attachment.get("alias") or path.stem)


def _is_number(value: object) -> bool:
    return str(value).isdecimal()


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_extension_list(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(extension, str) or (isinstance(extension, Mapping) and "name" in extension)
        for extension in value
    )


def _is_file_list(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(attachment, Mapping) and "path" in attachment for attachment in value
    )


_OUTPUT_LOCATION = "the output in profiles.yml"
_EXPECTED_SETTINGS = (
    ("extensions", _is_extension_list, "a list of names", "extensions: [spatial]"),
    ("settings", _is_mapping, "a mapping", "settings: {memory_limit: 2GB}"),
    ("threads", _is_number, "a whole number", "threads: 4"),
    ("attach", _is_file_list, "a list of files with a path", "attach: [{path: other.duckdb, alias: other}]"),
)
