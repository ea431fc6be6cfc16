"""The gate's rules on dbt's commands as a whole: are their results complete, and of this target? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.evidence import FAILED, PASSED, find_newest_invocation, find_unrecorded_invocations
from reverse_etl.dbt.findings import GateFinding, format_command, format_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.dbt.evidence import Invocation, NodeResult
    from reverse_etl.dbt.findings import GateInput

_ENDED_BY_ITSELF: Final = (0, 1)  # 1: dbt ran, and wrote results that say what failed


def check_commands(gate_input: GateInput) -> Iterator[GateFinding]:
    """Yield what holds back every model that reads something of dbt."""
    yield from _check_exit_code(gate_input)
    own_invocations: list[Invocation] = []
    for invocation in gate_input.invocations:
        has_results = invocation.results and not invocation.is_silent
        target_findings = [*_check_target(gate_input, invocation)] if has_results else []
        yield from target_findings
        own_invocations += [] if target_findings else [invocation]
    if gate_input.recorded is not None:
        graph = gate_input.evidence.graph
        for invocation in find_unrecorded_invocations(graph, own_invocations, gate_input.recorded):
            yield GateFinding(
                f"{_describe_invocation(invocation)} ended, "
                f"but {gate_input.recorded.table} lacks its results.",
                f"See the warning in dbt's log, and run: dbt build. Its results are in {invocation.path}.",
            )


def _check_exit_code(gate_input: GateInput) -> Iterator[GateFinding]:
    code = gate_input.dbt_exit_code
    if code is None or code == 0:
        return
    if code not in _ENDED_BY_ITSELF:
        yield GateFinding(
            f"dbt ended with exit code {code}, before it could write its results.",
            "Look at dbt's log, and run: dbt build.",
        )
    elif not _has_failure(gate_input):
        newest = find_newest_invocation(gate_input.invocations)
        results_text = (
            f"its newest results, of {_describe_invocation(newest)}," if newest else "its newest results"
        )
        yield GateFinding(
            f"dbt ended with exit code 1, but {results_text} show no failure. They are of an earlier "
            "command.",
            "Look at dbt's log, and run: dbt build.",
        )


def _has_failure(gate_input: GateInput) -> bool:
    """Return whether a result explains exit code 1: of the artifacts' commands, or of the table's newest."""
    ran = [invocation for invocation in gate_input.invocations if not invocation.is_silent]
    if any(result.status not in PASSED for invocation in ran for result in invocation.results):
        return True
    newest = find_newest_invocation(ran)
    freshness = _select_freshness_results(gate_input)
    if newest and any(result.status in FAILED and _is_later(result, newest) for result in freshness):
        return True
    recorded = gate_input.recorded.results if gate_input.recorded else ()
    dated = [result for result in recorded if result.completed_at]
    last = max(dated, key=lambda result: result.completed_at or gate_input.now, default=None)
    return last is not None and any(
        result.status not in PASSED for result in recorded if result.invocation_id == last.invocation_id
    )


def _select_freshness_results(gate_input: GateInput) -> Iterator[NodeResult]:
    graph = gate_input.evidence.graph
    for unique_id, result in gate_input.evidence.newest.items():
        if graph.nodes[unique_id].resource_type == "source":
            yield result


def _is_later(result: NodeResult, invocation: Invocation) -> bool:
    """Return whether a result came after a command; one without a time did not."""
    if result.completed_at is None or invocation.generated_at is None:
        return False
    return result.completed_at >= invocation.generated_at


def _check_target(gate_input: GateInput, invocation: Invocation) -> Iterator[GateFinding]:
    """Yield a finding if the results are of another target with tables in another place.

    The target's name does not decide that: dbt Cloud calls every target `default`. Results that dbt recorded
    in this target's schema, or of tables that it builds there, belong to this target.
    """
    target_schema = gate_input.target_schema
    if invocation.target == target_schema.target:
        return
    if gate_input.recorded and invocation.invocation_id in gate_input.recorded.invocation_ids:
        return
    schemas = _collect_default_schemas(gate_input)
    own_schema = (target_schema.database.casefold(), target_schema.schema.casefold())
    if own_schema in schemas or (not invocation.target and not schemas):
        return
    built = ", ".join(sorted(".".join(part for part in schema if part) for schema in schemas))
    of_target = f"of target {invocation.target}" if invocation.target else "of another target"
    yield GateFinding(
        f"dbt's results in {invocation.path} are {of_target}"
        f"{f', which builds in {built}' if built else ''}; target {target_schema.target} reads "
        f"{'.'.join(part for part in (target_schema.database, target_schema.schema) if part)}.",
        f"Run: dbt build --target {target_schema.target}.",
    )


def _collect_default_schemas(gate_input: GateInput) -> set[tuple[str, str]]:
    """Return the (database, schema) of the nodes that dbt builds in its target's own schema."""
    return {
        (node.database.casefold(), node.schema.casefold())
        for node in gate_input.evidence.graph.nodes.values()
        if node.is_built and node.schema and not node.custom_schema
    }


def _describe_invocation(invocation: Invocation) -> str:
    when = f" of {format_utc(invocation.generated_at)}" if invocation.generated_at else ""
    return f"{format_command(invocation.command)}{when}"
