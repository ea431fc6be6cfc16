"""The gate: whether dbt built what a model reads, when, and whether its tests passed. Pure.

What is known comes from files that dbt's last command left. A command that built nothing of what a model
reads proves nothing, neither good nor bad; only `max_age` asks for proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.graph import Graph, read_graph
from reverse_etl.dbt.results import Freshness, Result, Results, read_freshness, read_results
from reverse_etl.errors import Problem
from reverse_etl.parsing.durations import span_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_BUILT: Final = frozenset({"success", "reused"})
_NO_FAULT: Final = _BUILT | {"pass", "warn", "no-op"}
_FAILED: Final = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True)
class Reader:
    """A model as the gate sees it: what it reads by dbt's unique ids, and how old that may be, in seconds."""

    model: str
    reads: tuple[str, ...]
    max_age: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What dbt left of its last commands; each part may be missing."""

    graph: Graph = field(default_factory=Graph)
    results: Results | None = None
    freshness: Mapping[str, Freshness] = field(default_factory=dict)


def read_evidence(manifest: Path) -> Evidence:
    """Read the artifacts that lie beside a manifest. Raises ModelError where one cannot be read."""
    return Evidence(
        read_graph(manifest),
        read_results(manifest.with_name("run_results.json")),
        read_freshness(manifest.with_name("sources.json")),
    )


def gate(readers: Sequence[Reader], evidence: Evidence, *, target: str, now: datetime) -> tuple[Problem, ...]:
    """Return why models are held back, in the readers' order; nothing where all may run.

    What holds several models back is said once, with all of them.

    A model is held back where what it reads, or what that is built from, failed, was skipped or was built
    without rows; where a test of severity error failed on what it reads or on a direct parent of that; where
    the results are another target's; and where something that it reads is older than its `max_age`, or not
    proved to be younger.
    """
    found: dict[_Reason, list[str]] = {}
    for reader in readers:
        for reason in dict.fromkeys(_Looking(reader, evidence, target, now).reasons()):
            found.setdefault(reason, []).append(reader.model)
    passes = _passes(readers, {model for models in found.values() for model in models})
    return tuple(
        Problem(
            reason.what,
            ", ".join(f"model {model}" for model in models),
            f"{reason.advice} {passes}",
            tuple(models),
        )
        for reason, models in found.items()
    )


def doubt(evidence: Evidence) -> str:
    """Return what people are told where dbt's last command left no word of what was built; else ''."""
    if evidence.results is None or not evidence.results.says_nothing:
        return ""
    return (
        f"dbt's last command, {_command(evidence.results)}, says nothing of what was built and tested, so no "
        "model is held back for that. Run reverse-etl right after dbt build."
    )


def _passes(readers: Sequence[Reader], held: Collection[str]) -> str:
    """Return how to go on without what is held back; leaving out all models would leave none to run."""
    names = [reader.model for reader in readers if reader.model in held]
    without = "Without this gate: --no-dbt-gate."
    if len(names) == len(readers):
        return without
    others = " ".join(f"--exclude {name}" for name in names)
    return f"The other models alone: {others}. {without}"


@dataclass(frozen=True)
class _Reason:
    """Why a model is held back, and what mends it."""

    what: str
    advice: str


@dataclass(frozen=True)
class _Looking:
    """One model before the gate."""

    reader: Reader
    evidence: Evidence
    target: str
    now: datetime

    def reasons(self) -> Iterator[_Reason]:
        results = self.evidence.results
        known = [read for read in self.reader.reads if read in self.evidence.graph.nodes]
        if results is not None and known:
            if results.target and results.target != self.target:
                yield _Reason(
                    f"dbt's last results are of target {results.target}; this run's is {self.target}.",
                    f"Run: dbt build --target {self.target}.",
                )
                return
            if not results.says_nothing:
                yield from self._not_built(results, known)
                yield from self._not_passed(results, known)
        yield from self._stale(known)
        if self.reader.max_age is not None:
            yield from self._too_old(self.reader.max_age)

    def _not_built(self, results: Results, known: Sequence[str]) -> Iterator[_Reason]:
        ancestors = (each for read in known for each in self.evidence.graph.ancestors(read))
        for node in dict.fromkeys([*known, *ancestors]):
            result = results.nodes.get(node)
            if result is None:
                continue
            if result.status not in _NO_FAULT:
                yield _Reason(f"{node} {_fault(result, results)}", "Mend it, and run: dbt build.")
            elif results.without_rows and result.status in _BUILT:
                yield _Reason(
                    f"{node} was built without its rows: {_command(results)} had --empty or --sample.",
                    "Run: dbt build.",
                )

    def _not_passed(self, results: Results, known: Sequence[str]) -> Iterator[_Reason]:
        graph = self.evidence.graph
        near = dict.fromkeys([*known, *(parent for read in known for parent in graph.parents(read))])
        for test in graph.tests_of(near):
            result = results.nodes.get(test)
            # A skipped test has its reason in what was not built; that is said where it matters.
            if result is not None and result.status in _FAILED:
                node = graph.nodes[test]
                looked_at = node.attached or ", ".join(node.parents)
                yield _Reason(
                    f"The {node.kind.replace('_', ' ')} {node.name} of {looked_at} {_fault(result, results)}",
                    "Mend it, and run: dbt build.",
                )

    def _stale(self, known: Sequence[str]) -> Iterator[_Reason]:
        for node in known:
            found = self.evidence.freshness.get(node)
            if found is not None and found.status in _FAILED:
                newest = f": its newest row was loaded{_since(found.loaded)}" if found.loaded else ""
                what = f"{node} is staler than its `freshness` in dbt allows{newest}."
                yield _Reason(what, "Load it, and run: dbt source freshness.")

    def _too_old(self, max_age: int) -> Iterator[_Reason]:
        allowed = span_text(max_age)
        if not self.reader.reads:
            yield _Reason(
                f"max_age is {allowed}, but the model reads nothing by ref() or source(): no age is known.",
                "Read dbt's tables by ref() or source(), or remove max_age.",
            )
        for node in self.reader.reads:
            when, why, advice = self._age(node)
            if when is None:
                yield _Reason(f"Nothing proves that {node} is younger than {allowed}: {why}.", advice)
            elif (self.now - when).total_seconds() > max_age:
                age = span_text((self.now - when).total_seconds())
                verb = "loaded" if node in self.evidence.freshness else "built"
                yield _Reason(
                    f"{node} was {verb} {age} ago, at {_moment(when)}; max_age is {allowed}.", advice
                )

    def _age(self, node: str) -> tuple[datetime | None, str, str]:
        """Return when a node was built or loaded, else why that is not known; and what to do next."""
        known = self.evidence.graph.nodes.get(node)
        if known is None:
            return None, "dbt left no manifest that has it", "Run: dbt build."
        if known.kind == "source":
            found = self.evidence.freshness.get(node)
            advice = "Run: dbt source freshness."
            return (found.loaded if found else None), "dbt left no freshness of this source", advice
        results = self.evidence.results
        if results is None:
            return None, "dbt left no run results", "Run: dbt build."
        result = results.nodes.get(node)
        if not results.builds:
            return None, f"dbt's last command, {_command(results)}, built nothing", "Run: dbt build."
        if result is None or result.status not in _BUILT:
            return None, f"dbt's last command, {_command(results)}, did not build it", "Run: dbt build."
        return result.finished, "its result has no time", "Run: dbt build."


def _fault(result: Result, results: Results) -> str:
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
    return f"{verb} {_command(results)}{_since(result.finished)}{message}."


def _command(results: Results) -> str:
    return f"`dbt {results.command}`" if results.command else "one without a name"


def _since(when: datetime | None) -> str:
    return f" at {_moment(when)}" if when else ""


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
