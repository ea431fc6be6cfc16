"""The gate's rules on the nodes that a model reads: built, tested, fresh and young enough. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reverse_etl.dbt.age import REFUSED_AGE, Age, find_table_age
from reverse_etl.dbt.evidence import FAILED, PASSED, SUCCEEDED, find_newest_invocation
from reverse_etl.dbt.findings import GateFinding, Weight, format_command, format_utc
from reverse_etl.formatting import format_count
from reverse_etl.parsing.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from reverse_etl.dbt.age import TableAge
    from reverse_etl.dbt.evidence import NodeResult
    from reverse_etl.dbt.findings import GatedModel, GateInput
    from reverse_etl.dbt.graph import Graph, Node

_FIX = "Fix it, and run: dbt build."
_BUILD = "Run: dbt build."
_FRESHNESS = "Run: dbt source freshness."


@dataclass(frozen=True)
class NodeCheck:
    """The rules, for one model. `known_reads` are those of the nodes it reads that dbt's manifest has."""

    model: GatedModel
    gate_input: GateInput

    @property
    def graph(self) -> Graph:
        """Return dbt's graph."""
        return self.gate_input.evidence.graph

    @cached_property
    def known_reads(self) -> tuple[str, ...]:
        """Return what the model reads and the manifest has."""
        return tuple(read for read in self.model.reads if read in self.graph.nodes)

    @cached_property
    def all_inputs(self) -> tuple[str, ...]:
        """Return what the model reads, and all that this is built from; near ones first."""
        ancestors = (node for read in self.known_reads for node in self.graph.ancestors(read))
        return tuple(dict.fromkeys([*self.known_reads, *ancestors]))

    @cached_property
    def tested_nodes(self) -> tuple[str, ...]:
        """Return the nodes whose tests count: what the model reads, and the direct parents of that."""
        parents = (parent for read in self.known_reads for parent in self.graph.parents(read))
        return tuple(dict.fromkeys([*self.known_reads, *parents]))

    @cached_property
    def read_tables(self) -> tuple[str, ...]:
        """Return the tables whose rows the model sees, through views."""
        behind = (table for read in self.known_reads for table in self.graph.tables_behind(read))
        return tuple(dict.fromkeys(behind))

    def check(self) -> Iterator[GateFinding]:
        """Yield every finding about the model."""
        yield from self.find_unbuilt_nodes()
        yield from self.find_failed_tests()
        yield from self.find_stale_sources()
        yield from self.find_nodes_without_results()
        if self.model.max_age is None:
            yield from self.find_unusual_ages()
        else:
            yield from self.find_nodes_over_max_age(self.model.max_age)
        yield from self.find_warned_tests()
        yield from self.find_untested_nodes()

    def result(self, node: str) -> NodeResult | None:
        """Return the newest result of a node."""
        return self.gate_input.evidence.newest.get(node)

    def find_unbuilt_nodes(self) -> Iterator[GateFinding]:
        """Yield the nodes that failed, were skipped or were built without rows."""
        for node in self.all_inputs:
            result = self.result(node)
            if result is None or self.graph.nodes[node].resource_type == "source":
                continue
            if result.status == "skipped" and (causes := self.find_skip_causes(node)):
                # The failed node is an input too and has its own finding.
                tests = (cause for cause in causes if self.graph.nodes[cause].is_test)
                yield from map(self.describe_failed_test, tests)
            elif result.status not in PASSED:
                yield GateFinding(f"{node} {_describe_result(result)}", _FIX)
            elif result.without_rows and result.status in SUCCEEDED:
                yield GateFinding(
                    f"{node} was built without its rows: {format_command(result.command)} had --empty or "
                    "--sample.",
                    _BUILD,
                )

    def find_skip_causes(self, node: str) -> list[str]:
        """Return the failed inputs of a node and the failed tests of them for which dbt skipped it."""
        ancestors = self.graph.ancestors(node)
        unit_tests = [
            test
            for test in self.graph.find_tests([node])
            if self.graph.nodes[test].resource_type == "unit_test"
        ]
        suspects = [*ancestors, *unit_tests, *self.graph.find_tests(ancestors)]
        return [suspect for suspect in suspects if self.has_failed(suspect)]

    def has_failed(self, node: str) -> bool:
        """Return whether the newest result of a node is a failure."""
        result = self.result(node)
        return result is not None and result.status in FAILED

    def find_failed_tests(self) -> Iterator[GateFinding]:
        """Yield the failed tests of near nodes; a failed test of severity warn has another status."""
        for test in self.graph.find_tests(self.tested_nodes):
            if self.has_failed(test):
                yield self.describe_failed_test(test)

    def describe_failed_test(self, test: str) -> GateFinding:
        """Return the finding of a failed test."""
        result = self.gate_input.evidence.newest[test]
        return GateFinding(f"{_format_test_name(self.graph.nodes[test])} {_describe_result(result)}", _FIX)

    def find_stale_sources(self) -> Iterator[GateFinding]:
        """Yield the sources among all inputs that are staler than dbt's own limits."""
        for node in self.all_inputs:
            result = self.result(node)
            if (
                result is not None
                and self.graph.nodes[node].resource_type == "source"
                and result.status in FAILED
            ):
                when = format_utc(result.loaded_at) if result.loaded_at else ""
                newest = f": its newest row was loaded at {when}" if when else ""
                yield GateFinding(
                    f"{node} is staler than its `freshness` in dbt allows{newest}.",
                    f"Load it. {_FRESHNESS}",
                )

    def find_nodes_without_results(self) -> Iterator[GateFinding]:
        """Yield the nodes among what the model reads of which no result is known."""
        last = find_newest_invocation(self.gate_input.invocations)
        silent = f" The last command was {format_command(last.command)}." if last and last.is_silent else ""
        for node in dict.fromkeys([*self.known_reads, *self.read_tables]):
            graph_node = self.graph.nodes.get(node)
            if graph_node is not None and graph_node.is_built and self.result(node) is None:
                yield GateFinding(
                    f"No result of dbt is known for {node}: nothing says whether it was built and tested."
                    f"{silent}",
                    "Run dbt build right before reverse-etl, or install its dbt package: it keeps the "
                    "results of every command.",
                    Weight.MISSING,
                )

    def find_warned_tests(self) -> Iterator[GateFinding]:
        """Yield the tests of severity warn that failed."""
        for test in self.graph.find_tests(self.tested_nodes):
            result = self.result(test)
            if result is not None and result.status == "warn":
                rows = f": {format_count(result.failures, 'row')}" if result.failures else ""
                yield GateFinding(
                    f"{_format_test_name(self.graph.nodes[test])} warned{_format_completion(result)}{rows}.",
                    "Its severity is warn, so no model is held back.",
                    Weight.NOTE,
                )

    def find_untested_nodes(self) -> Iterator[GateFinding]:
        """Yield what the model reads that was built after its tests last ran."""
        for node in self.known_reads:
            times = self.gate_input.evidence.builds.get(node)
            tests = self.graph.find_tests([node])
            if not times or not tests:
                continue
            results = [result for test in tests if (result := self.result(test)) is not None]
            if any(result.completed_at and result.completed_at >= times[0] for result in results):
                continue
            yield GateFinding(
                f"No test of {node} has run since it was built at {format_utc(times[0])}.",
                f"Run: dbt test --select {self.graph.nodes[node].name}.",
                Weight.NOTE,
            )

    def find_unusual_ages(self) -> Iterator[GateFinding]:
        """Yield the tables that are too old by default, or older than usual."""
        for table in self.read_tables:
            age = find_table_age(self.gate_input.evidence, table)
            if age is None:
                continue
            match age.classify(self.gate_input.now):
                case Age.REFUSED:
                    limit = format_duration(REFUSED_AGE.total_seconds())
                    yield GateFinding(
                        f"{self.describe_build(age)}. "
                        f"Without a max_age, tables older than {limit} are refused.",
                        f"{_BUILD} If this age is right, set max_age in the model's config.",
                    )
                case Age.UNUSUAL:
                    usual = (
                        f"it is usually built every {format_duration(age.interval.total_seconds())}"
                        if age.interval
                        else "no other build of it is known"
                    )
                    yield GateFinding(f"{self.describe_build(age)}; {usual}.", _BUILD, Weight.NOTE)
                case Age.USUAL:
                    pass

    def describe_build(self, age: TableAge) -> str:
        """Return when a table was built."""
        since = format_duration((self.gate_input.now - age.built_at).total_seconds())
        return f"{age.unique_id} was built {since} ago, at {format_utc(age.built_at)}"

    def find_nodes_over_max_age(self, max_age: int) -> Iterator[GateFinding]:
        """Yield what is older than the model's max_age, or not proved to be younger."""
        allowed = format_duration(max_age)
        if not self.model.reads:
            yield GateFinding(
                f"max_age is {allowed}, but the model reads nothing by ref() or source(): no age is known.",
                "Read dbt's tables by ref() or source(), or remove max_age.",
            )
        for node in self.collect_aged_nodes():
            when, reason, hint = self.find_build_time(node)
            if when is None:
                yield GateFinding(f"Nothing proves that {node} is younger than {allowed}: {reason}.", hint)
            elif (self.gate_input.now - when).total_seconds() > max_age:
                age = format_duration((self.gate_input.now - when).total_seconds())
                verb = "loaded" if node in self.graph.nodes and self.is_source(node) else "built"
                yield GateFinding(
                    f"{node} was {verb} {age} ago, at {format_utc(when)}; max_age is {allowed}.", hint
                )

    def collect_aged_nodes(self) -> Iterable[str]:
        """Return the nodes whose age max_age is about: of views their tables, without seeds and snapshots."""
        node_ids: dict[str, None] = {}
        for read in self.model.reads:
            behind = self.graph.tables_behind(read)
            if behind == (read,):
                node_ids[read] = None
            else:
                node_ids.update(
                    dict.fromkeys(
                        table
                        for table in behind
                        if self.graph.nodes.get(table) is None
                        or self.graph.nodes[table].resource_type not in {"seed", "snapshot"}
                    )
                )
        return node_ids

    def find_build_time(self, node: str) -> tuple[datetime | None, str, str]:
        """Return when a node was built or loaded, or why that is not known, and what to do next."""
        if node not in self.graph.nodes:
            return None, "dbt's manifest does not have it", _BUILD
        result = self.result(node)
        if self.is_source(node):
            return (result.loaded_at if result else None), "no freshness of this source is known", _FRESHNESS
        times = self.gate_input.evidence.builds.get(node)
        if times:
            return times[0], "", _BUILD
        if result is None:
            return None, "no build of it is known", _BUILD
        failed = result.status not in SUCCEEDED
        return None, "its last build failed" if failed else "its last build has no time", _BUILD

    def is_source(self, node: str) -> bool:
        """Return whether a node is a source."""
        return self.graph.nodes[node].resource_type == "source"


def _format_test_name(node: Node) -> str:
    kind = node.resource_type.replace("_", " ")
    return f"The {kind} {node.name} of {node.attached_node or ', '.join(node.parents)}"


def _describe_result(result: NodeResult) -> str:
    """Return how a node ended, as the end of a sentence that begins with its name."""
    command = f"{format_command(result.command)}{_format_completion(result)}"
    match result.status:
        case "skipped":
            text = f"was skipped by {command}"
        case "partial success":
            text = f"was built only in part by {command}"
        case status if status in FAILED:
            text = f"failed in {command}"
        case status:
            text = f"ended as {status!r}, which is not known to be a success, in {command}"
    return f"{text}: {result.message.rstrip('.')}." if result.message else f"{text}."


def _format_completion(result: NodeResult) -> str:
    return f" at {format_utc(result.completed_at)}" if result.completed_at else ""
