"""What dbt's last command came to: run_results.json, and sources.json of `dbt source freshness`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.dbt.artifacts import RUN_RESULTS_VERSIONS, SOURCES_VERSIONS, read_artifact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BUILDS: Final = frozenset({"build", "run", "seed", "snapshot"})
# Commands whose results say "success" of nodes that they built nothing of.
_COMMANDS_WITHOUT_OUTCOMES: Final = frozenset(
    ["clone", "compile", "freshness", "generate", "list", "ls", "parse", "run-operation", "show"]
)
_LONGEST_MESSAGE: Final = 200


@dataclass(frozen=True)
class NodeResult:
    """What became of a node: dbt's status in lower case, the first line of its message, and when it ended."""

    status: str
    message: str
    finished: datetime | None


@dataclass(frozen=True)
class CommandResults:
    """The results of dbt's last command, by unique id.

    `command` is dbt's word for it, such as `build`; `target` is empty where dbt was not given one.
    `without_rows` says that tables were built empty or from a sample.
    """

    command: str
    target: str
    without_rows: bool
    nodes: Mapping[str, NodeResult] = field(repr=False)

    @property
    def builds(self) -> bool:
        """Return whether the command builds seeds, models or snapshots."""
        return self.command in _BUILDS

    @property
    def has_no_outcomes(self) -> bool:
        """Return whether the command neither builds nor tests; a command that is not known may do either."""
        return self.command in _COMMANDS_WITHOUT_OUTCOMES


def read_results(path: Path) -> CommandResults | None:
    """Return what run_results.json says, None where there is none. Missing fields are left open.

    Raises ModelError when it cannot be read.
    """
    if not path.is_file():
        return None
    content = read_artifact(
        path, "dbt's run_results.json", "results", RUN_RESULTS_VERSIONS, refresh_command="dbt build"
    )
    generated = _parse_time((content.get("metadata") or {}).get("generated_at"))
    arguments = content.get("args") or {}
    return CommandResults(
        command=str(arguments.get("which") or arguments.get("command") or ""),
        target=str(arguments.get("target") or ""),
        without_rows=bool(arguments.get("empty") or arguments.get("sample")),
        nodes={
            str(entry["unique_id"]): _parse_result(entry, generated)
            for entry in content["results"]
            if isinstance(entry, dict) and entry.get("unique_id")
        },
    )


@dataclass(frozen=True)
class SourceFreshness:
    """What `dbt source freshness` found of a source: dbt's status, and when its newest row was loaded."""

    status: str
    loaded: datetime | None


def read_freshness(path: Path) -> Mapping[str, SourceFreshness]:
    """Return what sources.json says by unique id; nothing where there is none. Raises ModelError."""
    if not path.is_file():
        return {}
    refresh_command = "dbt source freshness"
    content = read_artifact(
        path, "dbt's sources.json", "results", SOURCES_VERSIONS, refresh_command=refresh_command
    )
    return {
        str(entry["unique_id"]): SourceFreshness(
            str(entry.get("status") or "").lower(), _parse_time(entry.get("max_loaded_at"))
        )
        for entry in content["results"]
        if isinstance(entry, dict) and entry.get("unique_id")
    }


def _parse_result(entry: Mapping[str, Any], generated: datetime | None) -> NodeResult:
    steps = [step for step in entry.get("timing") or () if step.get("name") == "execute"]
    finished = _parse_time(steps[-1].get("completed_at")) if steps else None
    # The lines after the first may quote rows of the warehouse.
    lines = str(entry.get("message") or "").strip().splitlines()
    return NodeResult(
        status=str(entry.get("status") or "").lower(),
        message=lines[0].strip()[:_LONGEST_MESSAGE] if lines else "",
        finished=finished or generated,
    )


def _parse_time(text: object) -> datetime | None:
    """Return a moment that dbt wrote; without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
