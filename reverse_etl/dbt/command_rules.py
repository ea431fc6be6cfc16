"""The gate's rules on dbt's commands as a whole: are their results complete, and of this target? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.evidence import FAILED, PASSED, newest_invocation, unrecorded_invocations
from reverse_etl.dbt.findings import GateFinding, command_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.dbt.evidence import Invocation, NodeResult
    from reverse_etl.dbt.findings import GateInput

_ENDED_BY_ITSELF: Final = (0, 1)  # 1: dbt ran, and wrote results that say what failed


def command_findings(given: GateInput) -> Iterator[GateFinding]:
    """Yield what holds back every model that reads something of dbt."""
    yield from _bad_exit(given)
    ours: list[Invocation] = []
    for invocation in given.invocations:
        found = [] if invocation.is_silent or not invocation.results else [*_wrong_target(given, invocation)]
        yield from found
        ours += [] if found else [invocation]
    if given.recorded is not None:
        for invocation in unrecorded_invocations(given.evidence.graph, ours, given.recorded):
            yield GateFinding(
                f"{_described(invocation)} ended, but {given.recorded.table} lacks its results.",
                f"See the warning in dbt's log, and run: dbt build. Its results are in {invocation.path}.",
            )


def _bad_exit(given: GateInput) -> Iterator[GateFinding]:
    code = given.dbt_exit_code
    if code is None or code == 0:
        return
    if code not in _ENDED_BY_ITSELF:
        yield GateFinding(
            f"dbt ended with exit code {code}, before it could write its results.",
            "Look at dbt's log, and run: dbt build.",
        )
    elif not _has_failure(given):
        newest = newest_invocation(given.invocations)
        known = f"its newest results, of {_described(newest)}," if newest else "its newest results"
        yield GateFinding(
            f"dbt ended with exit code 1, but {known} show no failure. They are of an earlier command.",
            "Look at dbt's log, and run: dbt build.",
        )


def _has_failure(given: GateInput) -> bool:
    """Return whether a result explains exit code 1: of the artifacts' commands, or of the table's newest."""
    ran = [invocation for invocation in given.invocations if not invocation.is_silent]
    if any(result.status not in PASSED for invocation in ran for result in invocation.results):
        return True
    newest = newest_invocation(ran)
    if newest and any(result.status in FAILED and _is_later(result, newest) for result in _freshness(given)):
        return True
    recorded = given.recorded.results if given.recorded else ()
    dated = [result for result in recorded if result.completed_at]
    last = max(dated, key=lambda result: result.completed_at or given.now, default=None)
    return last is not None and any(
        result.status not in PASSED for result in recorded if result.invocation_id == last.invocation_id
    )


def _freshness(given: GateInput) -> Iterator[NodeResult]:
    graph = given.evidence.graph
    for unique_id, result in given.evidence.newest.items():
        if graph.nodes[unique_id].resource_type == "source":
            yield result


def _is_later(result: NodeResult, invocation: Invocation) -> bool:
    """Return whether a result came after a command; one without a time did not."""
    if result.completed_at is None or invocation.generated_at is None:
        return False
    return result.completed_at >= invocation.generated_at


def _wrong_target(given: GateInput, invocation: Invocation) -> Iterator[GateFinding]:
    """Yield a finding if the results are of another target with tables in another place.

    The target's name does not decide that: dbt Cloud calls every target `default`. Results that dbt recorded
    in this target's schema, or of tables that it builds there, belong to this target.
    """
    place = given.place
    if invocation.target == place.target:
        return
    if given.recorded and invocation.invocation_id in given.recorded.invocation_ids:
        return
    schemas = _default_schemas(given)
    ours = (place.database.casefold(), place.schema.casefold())
    if ours in schemas or (not invocation.target and not schemas):
        return
    built = ", ".join(sorted(".".join(part for part in schema if part) for schema in schemas))
    of_target = f"of target {invocation.target}" if invocation.target else "of another target"
    yield GateFinding(
        f"dbt's results in {invocation.path} are {of_target}"
        f"{f', which builds in {built}' if built else ''}; target {place.target} reads "
        f"{'.'.join(part for part in (place.database, place.schema) if part)}.",
        f"Run: dbt build --target {place.target}.",
    )


def _default_schemas(given: GateInput) -> set[tuple[str, str]]:
    """Return the (database, schema) of the nodes that dbt builds in its target's own schema."""
    return {
        (node.database.casefold(), node.schema.casefold())
        for node in given.evidence.graph.nodes.values()
        if node.is_built and node.schema and not node.custom_schema
    }


def _described(invocation: Invocation) -> str:
    when = f" of {moment_text(invocation.generated_at)}" if invocation.generated_at else ""
    return f"{command_text(invocation.command)}{when}"
