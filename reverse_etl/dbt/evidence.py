"""Evidence of dbt's work: the results of several commands, merged by time into the newest of each node. Pure.

Results come from the table of the dbt package, from dbt's artifacts, and from what earlier runs saw.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BUILDING: Final = frozenset({"build", "run", "seed", "snapshot", "retry"})
# Commands whose results say "success" of nodes that they neither built nor tested.
_SILENT: Final = frozenset(
    ["clone", "compile", "docs", "generate", "list", "ls", "parse", "run-operation", "show"]
)
_FRESHNESS: Final = "freshness"  # `dbt source freshness`
_KNOWN: Final = BUILDING | {"test", _FRESHNESS}
SUCCEEDED: Final = frozenset({"success", "reused"})
PASSED: Final = SUCCEEDED | {"pass", "warn", "no-op"}
FAILED: Final = frozenset({"error", "fail", "runtime error"})
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class NodeResult:
    """How a node ended in one dbt command. Fields that the source of the result lacks are empty.

    `status` is dbt's, in lower case. `relation` is what was built, or what a generic test tested.
    `loaded_at` is the time of a source's newest row. `without_rows` says that the command had --empty or
    --sample. `message` is the first line of dbt's message.
    """

    unique_id: str
    status: str
    completed_at: datetime | None = None
    command: str = ""
    target: str = ""
    invocation_id: str = ""
    relation: str = ""
    failures: int = 0
    loaded_at: datetime | None = None
    without_rows: bool = False
    message: str = field(default="", repr=False)


@dataclass(frozen=True)
class Invocation:
    """One dbt command, as run_results.json records it. `path` is that file, for messages."""

    invocation_id: str
    command: str
    target: str
    generated_at: datetime | None
    path: str
    results: tuple[NodeResult, ...] = field(default=(), repr=False)

    @property
    def is_silent(self) -> bool:
        """Return whether the command neither builds nor tests; a command that is not known may do either."""
        return self.command in _SILENT or self.command == _FRESHNESS


@dataclass(frozen=True)
class RecordedResults:
    """The content of the dbt package's table.

    `results` has the newest result of each node and relation. `invocation_ids` are those of the artifacts'
    invocations that the table has. `since` is when its oldest row was recorded.
    """

    table: str
    results: tuple[NodeResult, ...] = field(default=(), repr=False)
    invocation_ids: frozenset[str] = frozenset()
    since: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """The known results of the nodes of one manifest.

    `newest` is the newest result of a node; `builds` are the times at which it was built, newest first.
    """

    graph: Graph = field(default_factory=Graph)
    newest: Mapping[str, NodeResult] = field(default_factory=dict, repr=False)
    builds: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict, repr=False)


def merge_results(graph: Graph, results: Iterable[NodeResult]) -> Evidence:
    """Return the evidence that results give of a manifest's nodes.

    Results of nodes that the manifest lacks don't count, nor do results of other relations than the
    manifest's, of commands that build nothing, and of tests that were skipped.
    """
    newest: dict[str, NodeResult] = {}
    builds: dict[str, set[datetime]] = defaultdict(set)
    for result in results:
        if not _is_relevant(graph, result):
            continue
        earlier = newest.get(result.unique_id)
        newest[result.unique_id] = _pick_newer(earlier, result) if earlier else result
        if result.status in SUCCEEDED and result.command in BUILDING and not result.without_rows:
            builds[result.unique_id] |= {result.completed_at} if result.completed_at else set()
    return Evidence(
        graph, newest, {node: tuple(sorted(times, reverse=True)) for node, times in builds.items()}
    )


def find_unrecorded_invocations(
    graph: Graph, invocations: Iterable[Invocation], recorded: RecordedResults
) -> tuple[Invocation, ...]:
    """Return the invocations whose results the table lost: it lacks them, though it was there already.

    An invocation that later ones have replaced node by node is not lost.
    """
    newest = merge_results(graph, recorded.results).newest
    return tuple(
        invocation
        for invocation in invocations
        if not invocation.is_silent
        and invocation.invocation_id not in recorded.invocation_ids
        and _time_or_earliest(invocation.generated_at) >= _time_or_earliest(recorded.since)
        and any(
            _is_relevant(graph, result)
            and _completed_at(newest.get(result.unique_id)) < _completed_at(result)
            for result in invocation.results
        )
    )


def find_newest_invocation(invocations: Sequence[Invocation]) -> Invocation | None:
    """Return the invocation that was written last, None where there is none."""
    return max(invocations, key=lambda invocation: _time_or_earliest(invocation.generated_at), default=None)


def is_same_relation(name: str, other: str) -> bool:
    """Return whether two names mean one relation, whatever their quotes and case.

    >>> is_same_relation('"shop"."main"."people"', "SHOP.MAIN.people")
    True
    """
    return _strip_quotes(name) == _strip_quotes(other)


def _is_relevant(graph: Graph, result: NodeResult) -> bool:
    node = graph.nodes.get(result.unique_id)
    if (
        node is None
        or result.command in _SILENT
        or (result.command == _FRESHNESS) != (node.resource_type == "source")
    ):
        return False
    if result.command not in _KNOWN and result.status in PASSED:
        return False
    if node.is_test and result.status == "skipped":
        return False
    relation = graph.tested_relation(result.unique_id)
    return not result.relation or not relation or is_same_relation(result.relation, relation)


def _pick_newer(result: NodeResult, other: NodeResult) -> NodeResult:
    """Return the newer of two results of a node.

    If both are the same result from two sources, keep the message, which only one of them may have.
    """
    if result.invocation_id and result.invocation_id == other.invocation_id and result.status == other.status:
        return replace(result, message=result.message or other.message)
    return (
        other if _time_or_earliest(other.completed_at) >= _time_or_earliest(result.completed_at) else result
    )


def _completed_at(result: NodeResult | None) -> datetime:
    return _time_or_earliest(result.completed_at if result else None)


def _time_or_earliest(time: datetime | None) -> datetime:
    return time or _LONG_AGO


def _strip_quotes(relation: str) -> str:
    return relation.replace('"', "").replace("`", "").casefold()
