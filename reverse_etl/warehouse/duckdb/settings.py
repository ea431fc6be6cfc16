"""What a dbt-duckdb output asks of its session, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverse_etl.errors import Problem, UsageError

# They change what SQL means, also that of this job, or close the doors that the job opens and closes itself.
_NOT_TAKEN = frozenset(
    {
        *("default_order", "default_null_order", "null_order", "default_collation", "integer_division"),
        *("order_by_non_integer_literal", "lock_configuration", "enable_external_access"),
    }
)


@dataclass(frozen=True)
class SessionOutput:
    """The extensions to load, the settings and threads, and the other files to attach, each with its name."""

    extensions: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    threads: int | None = None
    attach: tuple[tuple[Path, str], ...] = ()


def session_output(output: Mapping[str, Any], places: Mapping[str, str]) -> SessionOutput:
    """Return what an output asks of its session. `places` says of its keys where they were written.

    Settings that change what SQL means are left out. Raises UsageError with everything of a wrong shape.
    """
    problems = [
        Problem(
            f"{key} of a DuckDB output is not {shape}.",
            places.get(key, _WHERE),
            f"As in dbt, write: {example}",
        )
        for key, fits, shape, example in _SHAPES
        if output.get(key) is not None and not fits(output[key])
    ]
    if problems:
        raise UsageError(*problems)
    settings = output.get("settings") or {}
    return SessionOutput(
        extensions=tuple(
            str(one["name"] if isinstance(one, Mapping) else one) for one in output.get("extensions") or ()
        ),
        settings=tuple(
            (str(key), str(value)) for key, value in settings.items() if str(key).lower() not in _NOT_TAKEN
        ),
        threads=max(int(output["threads"]), 1) if output.get("threads") else None,
        attach=tuple(_attached(output)),
    )


def _attached(output: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for one in output.get("attach") or ():
        path = Path(str(one["path"]))
        yield path, str(one.get("alias") or path.stem)


def _is_number(value: object) -> bool:
    return str(value).isdecimal()


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _names_extensions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) or (isinstance(one, Mapping) and "name" in one) for one in value
    )


def _names_files(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) and "path" in one for one in value)


_WHERE = "the output in profiles.yml"
_SHAPES = (
    ("extensions", _names_extensions, "a list of names", "extensions: [spatial]"),
    ("settings", _is_mapping, "a mapping", "settings: {memory_limit: 2GB}"),
    ("threads", _is_number, "a whole number", "threads: 4"),
    ("attach", _names_files, "a list of files with a path", "attach: [{path: other.duckdb, alias: other}]"),
)
