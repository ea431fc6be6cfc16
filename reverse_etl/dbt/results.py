"""Reads the results of one dbt command: run_results.json, and sources.json of `dbt source freshness`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.artifacts import RUN_RESULTS_VERSIONS, SOURCES_VERSIONS, read_artifact
from reverse_etl.dbt.evidence import Invocation, NodeResult
from reverse_etl.formatting import format_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_MESSAGE: Final = 200


def read_invocation(path: Path) -> Invocation:
    """Return what a run_results.json says. Fields that its version lacks are empty.

    Raises ModelError where it cannot be read, and IncompleteFile where it is cut off.
    """
    content = read_artifact(
        path, "dbt's run_results.json", "results", RUN_RESULTS_VERSIONS, refresh_command="dbt build"
    )
    metadata, arguments = _as_mapping(content.get("metadata")), _as_mapping(content.get("args"))
    invocation = Invocation(
        command=str(arguments.get("which") or arguments.get("command") or ""),
        target=str(arguments.get("target") or ""),
        invocation_id=str(metadata.get("invocation_id") or ""),
        generated_at=parse_time(metadata.get("generated_at")),
        path=format_path(path),
    )
    without_rows = bool(arguments.get("empty") or arguments.get("sample"))
    results = (
        _parse_result(entry, invocation, without_rows=without_rows)
        for entry in _select_mappings(content["results"])
        if entry.get("unique_id")
    )
    return replace(invocation, results=tuple(results))


def read_freshness(path: Path) -> tuple[NodeResult, ...]:
    """Return what a sources.json says of each source. Raises as `read_invocation` does."""
    refresh_command = "dbt source freshness"
    content = read_artifact(
        path, "dbt's sources.json", "results", SOURCES_VERSIONS, refresh_command=refresh_command
    )
    generated = parse_time(_as_mapping(content.get("metadata")).get("generated_at"))
    return tuple(
        NodeResult(
            unique_id=str(entry["unique_id"]),
            status=str(entry.get("status") or "").lower(),
            completed_at=parse_time(entry.get("snapshotted_at")) or generated,
            command="freshness",
            loaded_at=parse_time(entry.get("max_loaded_at")),
        )
        for entry in _select_mappings(content["results"])
        if entry.get("unique_id")
    )


def _parse_result(written: Mapping[str, Any], invocation: Invocation, *, without_rows: bool) -> NodeResult:
    steps = [step for step in _select_mappings(written.get("timing")) if step.get("name") == "execute"]
    completed = parse_time(steps[-1].get("completed_at")) if steps else None
    # The lines after the first may quote rows of the warehouse.
    lines = str(written.get("message") or "").strip().splitlines()
    return NodeResult(
        unique_id=str(written["unique_id"]),
        status=str(written.get("status") or "").lower(),
        completed_at=completed or invocation.generated_at,
        command=invocation.command,
        target=invocation.target,
        invocation_id=invocation.invocation_id,
        relation=str(written.get("relation_name") or ""),
        failures=failures if isinstance(failures := written.get("failures"), int) else 0,
        without_rows=without_rows,
        message=lines[0].strip()[:_MAX_MESSAGE] if lines else "",
    )


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _select_mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, and nothing of what is not a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def parse_time(text: object) -> datetime | None:
    """Return a moment that dbt wrote; without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
