"""Writes manifest.json and run_results.json of a run in the format of dbt's artifacts.

A model appears as a dbt model of the package `reverse_etl`, so that its id never collides with dbt's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl import __version__
from reverse_etl.delivery.results import ListResult, RunResult, collect_figures, compute_exit_code
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import GuardRefused, ReverseEtlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reverse_etl.models.model import Model
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import orjson

from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import UsageError
from reverse_etl.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.clock import Clock
    from reverse_etl.config.target import Target
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.models.model import Model


PACKAGE: Final = "reverse_etl"


MANIFEST_SCHEMA: Final = "https://schemas.getdbt.com/dbt/manifest/v12.json"


RUN_RESULTS_SCHEMA: Final = "https://schemas.getdbt.com/dbt/run-results/v6.json"


_STATUS_BY_EXIT_CODE: Final = {0: "success", 1: "partial success", 3: "partial success", 4: "error"}


# Sections that a dbt manifest has and that are empty in ours.
_EMPTY_SECTIONS: Final = (
    "sources macros docs exposures metrics groups selectors disabled group_map saved_queries semantic_models "
    "unit_tests functions"
)


@dataclass(frozen=True)
class RunMetadata:
    """The metadata of both files. Times are ISO 8601 in UTC; `project` and `adapter` are as in dbt."""

    project: str
    adapter: str
    target: str
    run_id: str
    started_at: str
    completed_at: str
    elapsed_seconds: float


def unique_id(model: Model) -> str:
    """Return the unique id of a model, in dbt's format."""
    return f"model.{PACKAGE}.{model.name}"


def build_manifest(models: Sequence[Model], metadata: RunMetadata) -> dict[str, Any]:
    """Return the manifest of all models. The dbt nodes that they read are referenced, not included."""
    empty_sections: dict[str, Any] = {key: {} for key in _EMPTY_SECTIONS.split()}
    children: dict[str, list[str]] = {unique_id(model): [] for model in models}
    for model in models:
        for node_id in model.reads:
            children.setdefault(node_id, []).append(unique_id(model))
    return {
        "metadata": _metadata_document(MANIFEST_SCHEMA, metadata)
        | {"project_name": metadata.project, "adapter_type": metadata.adapter},
        "nodes": {unique_id(model): _model_node(model) for model in models},
        **empty_sections,
        "parent_map": {unique_id(model): list(model.reads) for model in models},
        "child_map": children,
    }


def build_run_results(selected: Sequence[Model], result: RunResult, metadata: RunMetadata) -> dict[str, Any]:
    """Return the results of a run that ended, by model.

    The status is `success`, `error` if a list failed, `skipped` if a guard stopped all lists or the dbt gate
    the model, or `partial success` if rows need attention (newly rejected, unknown, accepted, held or not
    sent). `adapter_response` has the counts of each list.
    """
    skipped = {model_plan.model.name: model_plan.skipped for model_plan in result.plan.models}
    results = []
    for model in selected:
        if reasons := [problem.summary for problem in result.gate_problems if model.name in problem.models]:
            message = " ".join(reasons)
            results.append(_model_result(model, "skipped", message, {"_message": message}, metadata))
            continue
        model_lists = [list_result for list_result in result.lists if list_result.model == model.name]
        last_comparison = skipped.get(model.name)
        message = f"skipped: {last_comparison.describe()}" if last_comparison else _lists_message(model_lists)
        response = {
            "_message": message,
            "lists": [_list_response(list_result) for list_result in model_lists],
        }
        results.append(_model_result(model, _model_status(model_lists), message, response, metadata))
    return _results_document(results, selected, metadata)


def _model_status(list_results: Sequence[ListResult]) -> str:
    stops = [
        bool(list_result.list_plan.stop_reason)
        for list_result in list_results
        if not list_result.list_plan.has_no_list
    ]
    if stops and all(stops):
        return "skipped"
    return _STATUS_BY_EXIT_CODE[compute_exit_code(list_results, strict=False)]


def build_unfinished_results(
    selected: Sequence[Model], error: BaseException, metadata: RunMetadata
) -> dict[str, Any]:
    """Return the results of a run that did not end: `skipped` if a guard stopped it, or `error`.

    Each model's message has the problems that name the model, or all problems if none does.
    """
    status = "skipped" if isinstance(error, GuardRefused) else "error"
    results = []
    for model in selected:
        message = _failure_message(model, error)
        results.append(_model_result(model, status, message, {"_message": message}, metadata))
    return _results_document(results, selected, metadata)


def _failure_message(model: Model, error: BaseException) -> str:
    if not isinstance(error, ReverseEtlError):
        return "The run was interrupted. It is safe to run again."
    model_problems = [problem for problem in error.problems if model.name in problem.models]
    summary = " ".join(problem.summary for problem in model_problems or error.problems)
    if model_problems or not isinstance(error, GuardRefused):
        return summary
    stopped = ", ".join(sorted({name for problem in error.problems for name in problem.models}))
    return f"Not run, because of {stopped}: {summary}" if stopped else f"Not run: {summary}"


def _metadata_document(schema: str, metadata: RunMetadata) -> dict[str, Any]:
    return {
        "dbt_schema_version": schema,
        "dbt_version": f"reverse-etl {__version__}",
        "generated_at": metadata.completed_at,
        "invocation_id": metadata.run_id,
        "env": {},
    }


def _results_document(
    results: list[dict[str, Any]], selected: Sequence[Model], metadata: RunMetadata
) -> dict[str, Any]:
    return {
        "metadata": _metadata_document(RUN_RESULTS_SCHEMA, metadata),
        "results": results,
        "elapsed_time": metadata.elapsed_seconds,
        "args": {"which": "run", "target": metadata.target, "select": [model.name for model in selected]},
    }


def _model_result(
    model: Model, status: str, message: str, response: Mapping[str, Any], metadata: RunMetadata
) -> dict[str, Any]:
    return {
        "status": status,
        "timing": [
            {"name": "execute", "started_at": metadata.started_at, "completed_at": metadata.completed_at}
        ],
        "thread_id": "MainThread",
        "execution_time": metadata.elapsed_seconds,
        "adapter_response": dict(response),
        "message": message,
        "failures": None,
        "unique_id": unique_id(model),
        "compiled": True,
        "compiled_code": model.sql,
        "relation_name": None,
        "batch_results": None,
    }


def _lists_message(list_results: Sequence[ListResult]) -> str:
    return "; ".join(_list_message(list_result) for list_result in list_results) or "nothing to do"


def _list_message(list_result: ListResult) -> str:
    list_ref = list_result.list_plan.list_ref
    outcome_text = ", ".join(
        f"{rows} {outcome.replace('_', ' ')}" for outcome, rows in list_result.outcomes.items() if rows
    )
    stop_text = f", stopped: {list_result.stop_reason}" if list_result.stop_reason else ""
    return f"{list_ref.name or list_ref.surface}: {outcome_text or 'nothing to do'}{stop_text}"


def _list_response(list_result: ListResult) -> dict[str, Any]:
    return {
        "list": list_result.list_plan.list_ref.name,
        "list_id": list_result.list_plan.list_ref.id,
        "stop_cause": list_result.stop_cause,
        "stop_reason": list_result.stop_reason,
        **collect_figures(list_result),
    }


def _model_node(model: Model) -> dict[str, Any]:
    path = model.path.as_posix()
    tags = list(model.config.tags)
    meta = {"reverse_etl": {"surface": model.config.surface.name, "list": _list_name(model)}}
    return {
        "database": None,
        "schema": "",
        "name": model.name,
        "resource_type": "model",
        "package_name": PACKAGE,
        "path": path,
        "original_file_path": path,
        "unique_id": unique_id(model),
        "fqn": [PACKAGE, *_folder_names(model.path), model.name],
        "alias": model.name,
        "checksum": {"name": "sha256", "checksum": model.checksum},
        "config": {"materialized": "reverse_etl", "tags": tags, "meta": meta, "enabled": True},
        "tags": tags,
        "meta": meta,
        "description": model.config.description,
        "columns": {name: {"name": name} for name in model.columns},
        "relation_name": None,
        "raw_code": model.sql,
        "language": "sql",
        "depends_on": {"macros": [], "nodes": list(model.reads)},
        "compiled": True,
        "compiled_code": model.sql,
    }


def _folder_names(path: Path) -> list[str]:
    return list(path.parts[1:-1])


def _list_name(model: Model) -> str | None:
    match model.config.list_target:
        case NamedList(name):
            return name
        case ListById(list_id):
            return list_id
        case ListColumn(column):
            return f"named in {column}"
        case None:
            return None


@dataclass
class RunArtifacts:
    """A context around a run that writes manifest.json and run_results.json to `folder` on exit.

    Set `result` before the context exits. After a UsageError the files of the previous run stay. Each file is
    replaced atomically. If the folder can't be written, the run succeeds without the files.
    """

    folder: Path
    project: str
    target: Target
    models: Sequence[Model]
    selected: Sequence[Model]
    clock: Clock
    result: RunResult | None = None
    _started_at: float = 0.0

    def __enter__(self) -> Self:
        self._started_at = self.clock.now()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UsageError):
            return
        metadata = self._run_metadata()
        results = (
            build_run_results(self.selected, self.result, metadata)
            if self.result is not None
            else build_unfinished_results(self.selected, error or RuntimeError(), metadata)
        )
        with suppress(OSError):
            write_atomically(
                self.folder / "manifest.json", _encode_json(build_manifest(self.models, metadata))
            )
            write_atomically(self.folder / "run_results.json", _encode_json(results))

    def _run_metadata(self) -> RunMetadata:
        completed_at = self.clock.now()
        return RunMetadata(
            project=self.project,
            adapter=str(self.target.output.type),
            target=self.target.name,
            run_id=self.result.run_id if self.result else "",
            started_at=format_epoch_seconds(self._started_at),
            completed_at=format_epoch_seconds(completed_at),
            elapsed_seconds=completed_at - self._started_at,
        )


def _encode_json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
