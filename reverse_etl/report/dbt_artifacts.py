"""Our models and what a run made of them, in the shape of dbt's artifacts. Pure.

A model of ours is a dbt model of a package called `reverse_etl`, so that none of its ids is dbt's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl import __version__
from reverse_etl.delivery.results import ListResult, RunResult, counts, exit_code
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.errors import GuardRefused, ReverseEtlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reverse_etl.models.model import Model
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import orjson

from reverse_etl.domain.timestamps import moment
from reverse_etl.errors import UsageError
from reverse_etl.files import put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.clock import Clock
    from reverse_etl.config.target import Target
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.models.model import Model


PACKAGE: Final = "reverse_etl"


MANIFEST: Final = "https://schemas.getdbt.com/dbt/manifest/v12.json"


RUN_RESULTS: Final = "https://schemas.getdbt.com/dbt/run-results/v6.json"


_STATUS: Final = {0: "success", 1: "partial success", 4: "error"}


# What dbt's manifests have beside nodes, and ours has nothing of.
_EMPTY: Final = (
    "sources macros docs exposures metrics groups selectors disabled group_map saved_queries semantic_models "
    "unit_tests functions"
)


@dataclass(frozen=True)
class Told:
    """What both files say of a run: times are ISO 8601 in UTC; `project` and `adapter` are dbt's words."""

    project: str
    adapter: str
    target: str
    run_id: str
    began: str
    ended: str
    seconds: float


def unique_id(model: Model) -> str:
    """Return the id of a model of ours, in dbt's form."""
    return f"model.{PACKAGE}.{model.name}"


def manifest(models: Sequence[Model], told: Told) -> dict[str, Any]:
    """Return the manifest of all models; what they read are dbt's nodes, named and not repeated."""
    empty: dict[str, Any] = {key: {} for key in _EMPTY.split()}
    children: dict[str, list[str]] = {unique_id(model): [] for model in models}
    for model in models:
        for read in model.reads:
            children.setdefault(read, []).append(unique_id(model))
    return {
        "metadata": _metadata(MANIFEST, told) | {"project_name": told.project, "adapter_type": told.adapter},
        "nodes": {unique_id(model): _node(model) for model in models},
        **empty,
        "parent_map": {unique_id(model): list(model.reads) for model in models},
        "child_map": children,
    }


def run_results(selected: Sequence[Model], result: RunResult, told: Told) -> dict[str, Any]:
    """Return what a run that came to its end made of each model.

    `success`; `error` where a list failed; `partial success` where rows need a look (rejected, unknown,
    accepted, held or left unsent). The counts of each list are in `adapter_response`.
    """
    results = []
    for model in selected:
        own = [one for one in result.lists if one.model == model.name]
        status = _STATUS[exit_code(own, strict=False)]
        response = {"_message": _message(own), "lists": [_list(one) for one in own]}
        results.append(_result(model, status, _message(own), response, told))
    return _results(results, selected, told)


def refused_results(selected: Sequence[Model], error: BaseException, told: Told) -> dict[str, Any]:
    """Return what a run says that did not come to its end: `skipped` where a guard refused it, else `error`.

    Of an error's problems each model gets its own where there are such, else all.
    """
    status = "skipped" if isinstance(error, GuardRefused) else "error"
    results = []
    for model in selected:
        message = _refusal(model, error)
        results.append(_result(model, status, message, {"_message": message}, told))
    return _results(results, selected, told)


def _refusal(model: Model, error: BaseException) -> str:
    if not isinstance(error, ReverseEtlError):
        return "The run was interrupted; it is safe to run again."
    own = [each for each in error.problems if model.name in each.models]
    said = " ".join(each.what for each in own or error.problems)
    return said if own or not isinstance(error, GuardRefused) else f"Nothing was sent: {said}"


def _metadata(schema: str, told: Told) -> dict[str, Any]:
    return {
        "dbt_schema_version": schema,
        "dbt_version": f"reverse-etl {__version__}",
        "generated_at": told.ended,
        "invocation_id": told.run_id,
        "env": {},
    }


def _results(results: list[dict[str, Any]], selected: Sequence[Model], told: Told) -> dict[str, Any]:
    return {
        "metadata": _metadata(RUN_RESULTS, told),
        "results": results,
        "elapsed_time": told.seconds,
        "args": {"which": "run", "target": told.target, "select": [model.name for model in selected]},
    }


def _result(
    model: Model, status: str, message: str, response: Mapping[str, Any], told: Told
) -> dict[str, Any]:
    return {
        "status": status,
        "timing": [{"name": "execute", "started_at": told.began, "completed_at": told.ended}],
        "thread_id": "MainThread",
        "execution_time": told.seconds,
        "adapter_response": dict(response),
        "message": message,
        "failures": None,
        "unique_id": unique_id(model),
        "compiled": True,
        "compiled_code": model.sql,
        "relation_name": None,
        "batch_results": None,
    }


def _message(lists: Sequence[ListResult]) -> str:
    return "; ".join(_ends(one) for one in lists) or "nothing to do"


def _ends(one: ListResult) -> str:
    ends = ", ".join(f"{rows} {outcome.replace('_', ' ')}" for outcome, rows in one.outcomes.items() if rows)
    stopped = f", stopped: {one.reason}" if one.reason else ""
    return f"{one.plan.list.name or 'profiles'}: {ends or 'nothing to do'}{stopped}"


def _list(one: ListResult) -> dict[str, Any]:
    return {"list": one.plan.list.name, "list_id": one.plan.list.id, "stopped": one.reason, **counts(one)}


def _node(model: Model) -> dict[str, Any]:
    path = model.path.as_posix()
    tags = list(model.config.tags)
    meta = {"reverse_etl": {"surface": str(model.config.surface), "list": _list_name(model)}}
    return {
        "database": None,
        "schema": "",
        "name": model.name,
        "resource_type": "model",
        "package_name": PACKAGE,
        "path": path,
        "original_file_path": path,
        "unique_id": unique_id(model),
        "fqn": [PACKAGE, *_folders(model.path), model.name],
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


def _folders(path: Path) -> list[str]:
    return list(path.parts[1:-1])


def _list_name(model: Model) -> str | None:
    match model.config.target:
        case NamedList(name):
            return name
        case ListById(list_id):
            return list_id
        case ListColumn(column):
            return f"named in {column}"
        case None:
            return None


@dataclass
class Record:
    """Around a run: writes manifest.json and run_results.json to `folder` when it has ended or failed.

    Give it the `result` before it ends. A run that was not started, since something about it is wrong, leaves
    what an earlier one wrote. Each file is replaced as a whole. Where the folder cannot be written the run
    goes on all the same: its lists are what counts.
    """

    folder: Path
    project: str
    target: Target
    models: Sequence[Model]
    selected: Sequence[Model]
    clock: Clock
    result: RunResult | None = None
    _began: float = 0.0

    def __enter__(self) -> Self:
        self._began = self.clock.now()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UsageError):
            return
        told = self._told()
        results = (
            run_results(self.selected, self.result, told)
            if self.result is not None
            else refused_results(self.selected, error or RuntimeError(), told)
        )
        with suppress(OSError):
            put(self.folder / "manifest.json", _json(manifest(self.models, told)))
            put(self.folder / "run_results.json", _json(results))

    def _told(self) -> Told:
        ended = self.clock.now()
        return Told(
            project=self.project,
            adapter=str(self.target.output.type),
            target=self.target.name,
            run_id=self.result.run_id if self.result else "",
            began=moment(self._began),
            ended=moment(ended),
            seconds=ended - self._began,
        )


def _json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
