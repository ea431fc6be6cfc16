"""The file in which runs remember dbt's results, so that its next command does not make them forget.

It lies outside of dbt's target folder, which `dbt clean` deletes. With the dbt package, the package's table
remembers more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.dbt.evidence import NodeResult
from reverse_etl.dbt.results import parse_time
from reverse_etl.errors import UsageError
from reverse_etl.files import write_in_ignored_folder
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from reverse_etl.dbt.evidence import Evidence

RECORD_FILE: Final = "dbt_results.json"
_VERSION: Final = 1
_BUILDS_KEPT: Final = 6  # enough for the usual time between builds


def read_record(path: Path, target: str) -> tuple[NodeResult, ...]:
    """Return the results that earlier runs of a target saw, none where there is no file yet.

    Raises UsageError where the file cannot be read or is of another version.
    """
    if not path.exists():
        return ()
    content = _read_file(path)
    try:
        remembered = content["targets"].get(target, {"newest": [], "builds": {}})
        newest = {entry["unique_id"]: _parse_result(entry) for entry in remembered["newest"]}
        builds = [
            replace(newest[unique_id], status="success", command="build", completed_at=parse_time(time))
            for unique_id, times in remembered["builds"].items()
            for time in times
            if unique_id in newest
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    return (*newest.values(), *(replace(build, invocation_id="", without_rows=False) for build in builds))


def write_record(path: Path, target: str, evidence: Evidence) -> None:
    """Remember what is known of a target's nodes; other targets keep theirs.

    Raises OSError and UsageError.
    """
    empty: dict[str, Any] = {"version": _VERSION, "targets": {}}
    content = _read_file(path) if path.exists() else empty
    content["targets"][target] = {
        "newest": [_format_result(result) for result in evidence.newest.values()],
        "builds": {
            unique_id: [_format_moment(time) for time in times[:_BUILDS_KEPT]]
            for unique_id, times in evidence.builds.items()
        },
    }
    write_in_ignored_folder(path, orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable(path) from error
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise _unreadable(path)
    if not isinstance(content.get("targets"), dict):
        raise _unreadable(path)
    return content


def _unreadable(path: Path) -> UsageError:
    return UsageError.of(
        f"The record of dbt's results cannot be read, or is not of version {_VERSION}.",
        where=format_location(path),
        hint="Run dbt build, so that all results are known again, and delete the file.",
    )


def _format_result(result: NodeResult) -> dict[str, Any]:
    """Return a result without dbt's message."""
    return {
        "unique_id": result.unique_id,
        "status": result.status,
        "completed_at": _format_moment(result.completed_at),
        "command": result.command,
        "target": result.target,
        "invocation_id": result.invocation_id,
        "relation": result.relation,
        "failures": result.failures,
        "loaded_at": _format_moment(result.loaded_at),
        "without_rows": result.without_rows,
    }


def _parse_result(entry: Mapping[str, Any]) -> NodeResult:
    return NodeResult(
        unique_id=str(entry["unique_id"]),
        status=str(entry["status"]),
        completed_at=parse_time(entry["completed_at"]),
        command=str(entry["command"]),
        target=str(entry["target"]),
        invocation_id=str(entry["invocation_id"]),
        relation=str(entry["relation"]),
        failures=int(entry["failures"]),
        loaded_at=parse_time(entry["loaded_at"]),
        without_rows=bool(entry["without_rows"]),
    )


def _format_moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
