"""The gate: whether dbt built what a model reads, when, and whether its tests passed. Pure.

What is known comes from files that dbt's last command left. A command that built nothing of what a model
reads proves nothing, neither good nor bad; only `max_age` asks for proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.graph import Graph, read_graph
from reverse_etl.dbt.results import CommandResults, NodeResult, SourceFreshness, read_freshness, read_results
from reverse_etl.errors import Problem
from reverse_etl.parsing.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_BUILT: Final = frozenset({"success", "reused"})
_OK_STATUSES: Final = _BUILT | {"pass", "warn", "no-op"}
_FAILED: Final = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True)
class GatedModel:
    """A model as the gate sees it: what it reads by dbt's unique ids, and how old that may be, in seconds."""

    model: str
    reads: tuple[str, ...]
    max_age: int | None = None


@dataclass(frozen=True)
class GateEvidence:
    """What dbt left of its last commands; each part may be missing."""

    graph: Graph = field(default_factory=Graph)
    results: CommandResults | None = None
    freshness: Mapping[str, SourceFreshness] = field(default_factory=dict)


def read_gate_evidence(manifest_path: Path) -> GateEvidence:
    """Read the artifacts that lie beside a manifest. Raises ModelError where one cannot be read."""
    return GateEvidence(
        read_graph(manifest_path),
        read_results(manifest_path.with_name("run_results.json")),
        read_freshness(manifest_path.with_name("sources.json")),
    )


def check_gate(
    gated_models: Sequence[GatedModel], evidence: GateEvidence, *, target: str, now: datetime
) -> tuple[Problem, ...]:
    """Return why models are held back, in the readers' order; nothing where all may run.

    What holds several models back is said once, with all of them.

    A model is held back where what it reads, or what that is built from, failed, was skipped or was built
    without rows; where a test of severity error failed on what it reads or on a direct parent of that; where
    the results are another target's; and where something that it reads is older than its `max_age`, or not
    proved to be younger.
    """
    models_by_reason: dict[_HoldReason, list[str]] = {}
    for gated_model in gated_models:
        for reason in dict.fromkeys(_GateCheck(gated_model, evidence, target, now).find_reasons()):
            models_by_reason.setdefault(reason, []).append(gated_model.model)
    bypass_hint = _bypass_hint(
        gated_models, {model for models in models_by_reason.values() for model in models}
    )
    return tuple(
        Problem(
            reason.summary,
            ", ".join(f"model {model}" for model in models),
            f"{reason.hint} {bypass_hint}",
            tuple(models),
        )
        for reason, models in models_by_reason.items()
    )


def missing_evidence_warning(evidence: GateEvidence) -> str:
    """Return what people are told where dbt's last command left no word of what was built; else ''."""
    if evidence.results is None or not evidence.results.has_no_outcomes:
        return ""
    return (
        f"dbt's last command, {_command_name(evidence.results)}, says nothing of what was built and "
        "tested, so no "
        "model is held back for that. Run reverse-etl right after dbt build."
    )


def _bypass_hint(gated_models: Sequence[GatedModel], held: Collection[str]) -> str:
    """Return how to go on without what is held back; leaving out all models would leave none to run."""
    names = [gated_model.model for gated_model in gated_models if gated_model.model in held]
    without = "Without this gate: --no-dbt-gate."
    if len(names) == len(gated_models):
        return without
    others = " ".join(f"--exclude {name}" for name in names)
    return f"The other models alone: {others}. {without}"


@dataclass(frozen=True)
class _HoldReason:
    """Why a model is held back, and what mends it."""

    summary: str
    hint: str


@dataclass(frozen=True)
class _GateCheck:
    """One model before the gate."""

    gated_model: GatedModel
    evidence: GateEvidence
    target: str
    now: datetime

    def find_reasons(self) -> Iterator[_HoldReason]:
        results = self.evidence.results
        known_nodes = [read for read in self.gated_model.reads if read in self.evidence.graph.nodes]
        if results is not None and known_nodes:
            if results.target and results.target != self.target:
                yield _HoldReason(
                    f"dbt's last results are of target {results.target}; this run's is {self.target}.",
                    f"Run: dbt build --target {self.target}.",
                )
                return
            if not results.has_no_outcomes:
                yield from self._find_failed_builds(results, known_nodes)
                yield from self._find_failed_tests(results, known_nodes)
        yield from self._find_stale_sources(known_nodes)
        if self.gated_model.max_age is not None:
            yield from self._find_old_inputs(self.gated_model.max_age)

    def _find_failed_builds(
        self, results: CommandResults, known_nodes: Sequence[str]
    ) -> Iterator[_HoldReason]:
        ancestors = (ancestor for read in known_nodes for ancestor in self.evidence.graph.ancestors(read))
        for node in dict.fromkeys([*known_nodes, *ancestors]):
            result = results.nodes.get(node)
            if result is None:
                continue
            if result.status not in _OK_STATUSES:
                yield _HoldReason(
                    f"{node} {_describe_failure(result, results)}", "Mend it, and run: dbt build."
                )
            elif results.without_rows and result.status in _BUILT:
                yield _HoldReason(
                    f"{node} was built without its rows: {_command_name(results)} had --empty or --sample.",
                    "Run: dbt build.",
                )

    def _find_failed_tests(
        self, results: CommandResults, known_nodes: Sequence[str]
    ) -> Iterator[_HoldReason]:
        graph = self.evidence.graph
        checked_nodes = dict.fromkeys(
            [*known_nodes, *(parent for read in known_nodes for parent in graph.parents(read))]
        )
        for test in graph.find_tests(checked_nodes):
            result = results.nodes.get(test)
            # A skipped test has its reason in what was not built; that is said where it matters.
            if result is not None and result.status in _FAILED:
                node = graph.nodes[test]
                tested = node.attached_node or ", ".join(node.parents)
                yield _HoldReason(
                    f"The {node.resource_type.replace('_', ' ')} {node.name} of {tested} "
                    f"{_describe_failure(result, results)}",
                    "Mend it, and run: dbt build.",
                )

    def _find_stale_sources(self, known_nodes: Sequence[str]) -> Iterator[_HoldReason]:
        for node in known_nodes:
            freshness = self.evidence.freshness.get(node)
            if freshness is not None and freshness.status in _FAILED:
                newest = (
                    f": its newest row was loaded{_time_suffix(freshness.loaded)}" if freshness.loaded else ""
                )
                summary = f"{node} is staler than its `freshness` in dbt allows{newest}."
                yield _HoldReason(summary, "Load it, and run: dbt source freshness.")

    def _find_old_inputs(self, max_age: int) -> Iterator[_HoldReason]:
        allowed = format_duration(max_age)
        if not self.gated_model.reads:
            yield _HoldReason(
                f"max_age is {allowed}, but the model reads nothing by ref() or source(): no age is known.",
                "Read dbt's tables by ref() or source(), or remove max_age.",
            )
        for node in self.gated_model.reads:
            built_at, reason, hint = self._find_build_time(node)
            if built_at is None:
                yield _HoldReason(f"Nothing proves that {node} is younger than {allowed}: {reason}.", hint)
            elif (self.now - built_at).total_seconds() > max_age:
                age = format_duration((self.now - built_at).total_seconds())
                verb = "loaded" if node in self.evidence.freshness else "built"
                yield _HoldReason(
                    f"{node} was {verb} {age} ago, at {_format_time(built_at)}; max_age is {allowed}.", hint
                )

    def _find_build_time(self, node: str) -> tuple[datetime | None, str, str]:
        """Return when a node was built or loaded, else why that is not known; and what to do next."""
        graph_node = self.evidence.graph.nodes.get(node)
        if graph_node is None:
            return None, "dbt left no manifest that has it", "Run: dbt build."
        if graph_node.resource_type == "source":
            freshness = self.evidence.freshness.get(node)
            hint = "Run: dbt source freshness."
            return (freshness.loaded if freshness else None), "dbt left no freshness of this source", hint
        results = self.evidence.results
        if results is None:
            return None, "dbt left no run results", "Run: dbt build."
        result = results.nodes.get(node)
        if not results.builds:
            return None, f"dbt's last command, {_command_name(results)}, built nothing", "Run: dbt build."
        if result is None or result.status not in _BUILT:
            return None, f"dbt's last command, {_command_name(results)}, did not build it", "Run: dbt build."
        return result.finished, "its result has no time", "Run: dbt build."


def _describe_failure(result: NodeResult, results: CommandResults) -> str:
    match result.status:
        case status if status in _FAILED:
            verb = "failed in"
        case "skipped":
            verb = "was skipped by"
        case "partial success":
            verb = "was built only in part by"
        case other:
            verb = f"ended as {other!r}, which is not known to be a success, in"
    message = f": {result.message.rstrip('.')}" if result.message else ""
    return f"{verb} {_command_name(results)}{_time_suffix(result.finished)}{message}."


def _command_name(results: CommandResults) -> str:
    return f"`dbt {results.command}`" if results.command else "one without a name"


def _time_suffix(when: datetime | None) -> str:
    return f" at {_format_time(when)}" if when else ""


def _format_time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
