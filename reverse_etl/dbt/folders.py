"""The folders in which dbt's artifacts lie: dbt's target folder, or those of --dbt-artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.artifacts import MANIFEST_VERSIONS, read_artifact
from reverse_etl.dbt.results import parse_time, read_freshness, read_invocation
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.dbt.evidence import Invocation, NodeResult

MANIFEST: Final = "manifest.json"
_RUN_RESULTS: Final = "run_results.json"
_SOURCES: Final = "sources.json"
_NAME_FOLDER: Final = "or name the folder that has dbt's artifacts: --dbt-artifacts DIR"


@dataclass(frozen=True)
class Artifacts:
    """The artifacts in the folders: the command of each run_results.json, and the freshness of sources."""

    invocations: tuple[Invocation, ...] = ()
    freshness: tuple[NodeResult, ...] = ()


def find_manifest(folders: Sequence[Path]) -> Path:
    """Return the path of the manifest that dbt generated last. Raises UsageError if there is none."""
    paths = [folder / MANIFEST for folder in folders]
    existing_paths = [path for path in paths if path.exists()]
    if not existing_paths:
        raise UsageError.of(
            "dbt's manifest is missing, so no ref() or source() can be resolved.",
            where=", ".join(format_location(path) for path in paths),
            hint=f"Run: dbt build, {_NAME_FOLDER}.",
        )
    return existing_paths[0] if len(existing_paths) == 1 else max(existing_paths, key=_generated_at)


def read_artifacts(folders: Sequence[Path]) -> Artifacts:
    """Return what lies in the folders.

    Raises ModelError where a file cannot be read, IncompleteFile where one is cut off.
    """
    results = [path for folder in folders if (path := folder / _RUN_RESULTS).exists()]
    sources = [path for folder in folders if (path := folder / _SOURCES).exists()]
    return Artifacts(
        tuple(read_invocation(path) for path in results),
        tuple(result for path in sources for result in read_freshness(path)),
    )


def refuse_empty_folders(folders: Sequence[Path]) -> None:
    """Raise UsageError for a folder of --dbt-artifacts that has no artifact."""
    for folder in folders:
        if not any((folder / name).exists() for name in (MANIFEST, _RUN_RESULTS, _SOURCES)):
            raise UsageError.of(
                f"The folder has no {MANIFEST}, {_RUN_RESULTS} or {_SOURCES}."
                if folder.is_dir()
                else "There is no such folder.",
                where=f"--dbt-artifacts {format_location(folder)}",
                hint="Name a folder that holds dbt's artifacts.",
            )


def missing_results(folders: Sequence[Path]) -> UsageError:
    """Return the error of a project in which no result of dbt is known."""
    return UsageError.of(
        "dbt's run results are missing, so nothing says whether dbt built and tested what the models read.",
        where=", ".join(format_location(folder / _RUN_RESULTS) for folder in folders),
        hint=f"Run: dbt build, {_NAME_FOLDER}. To ignore what dbt says: --no-dbt-gate.",
    )


def _generated_at(manifest: Path) -> str:
    content = read_artifact(
        manifest, "dbt's manifest", "nodes", MANIFEST_VERSIONS, refresh_command="dbt parse"
    )
    moment = parse_time((content.get("metadata") or {}).get("generated_at"))
    return moment.isoformat() if moment else ""
