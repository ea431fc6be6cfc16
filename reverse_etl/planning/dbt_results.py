"""Collects dbt's results from its artifacts and from the table of the dbt package in the warehouse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverse_etl.dbt.evidence import NodeResult, RecordedResults, merge_results
from reverse_etl.dbt.folders import missing_results, read_artifacts
from reverse_etl.dbt.graph import read_graph
from reverse_etl.dbt.record import read_record
from reverse_etl.errors import UsageError
from reverse_etl.planning.sql import dbt_results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reverse_etl.config.target import Output
    from reverse_etl.dbt.evidence import Invocation
    from reverse_etl.dbt.findings import GateInput
    from reverse_etl.dbt.project import DbtProject
    from reverse_etl.warehouse.interface import Row, Warehouse


def with_evidence(
    gate_input: GateInput,
    dbt_project: DbtProject,
    read_recorded: Callable[[Sequence[Invocation]], RecordedResults],
    record_path: Path,
) -> GateInput:
    """Return the gate's input with all known results of a dbt project.

    If the manifest has the dbt package, `read_recorded` reads its table. If not, the file of results that
    earlier runs saw is read. Raises UsageError if neither artifacts nor the table have a result.
    """
    graph, artifacts = read_graph(dbt_project.manifest_path), read_artifacts(dbt_project.artifact_folders)
    recorded = read_recorded(artifacts.invocations) if graph.records_results else None
    if not artifacts.invocations and not (recorded and recorded.results):
        raise missing_results(dbt_project.artifact_folders)
    results = (
        *(recorded.results if recorded else ()),
        *(result for invocation in artifacts.invocations for result in invocation.results),
        *artifacts.freshness,
        *(() if recorded else read_record(record_path, gate_input.target_schema.target)),
    )
    return replace(
        gate_input,
        evidence=merge_results(graph, results),
        invocations=artifacts.invocations,
        recorded=recorded,
    )


def read_recorded_results(
    warehouse: Warehouse, output: Output, invocations: Sequence[Invocation]
) -> RecordedResults:
    """Return what the dbt package recorded, and which of the invocations it recorded.

    Raises UsageError where the table is missing or has other columns, and WarehouseError.
    """
    table = dbt_results.table_name(output)
    with warehouse.staging():
        columns = {name for (name,) in warehouse.fetch(dbt_results.column_names(output))}
        if missing := dbt_results.NEEDED_COLUMNS - columns:
            raise _unusable(table, missing if columns else frozenset())
        rows = warehouse.fetch(dbt_results.newest_results(output))
        ids = [invocation.invocation_id for invocation in invocations]
        ((since, *counts),) = warehouse.fetch(dbt_results.recorded_invocations(output, ids))
    return RecordedResults(
        table,
        tuple(_result(row) for row in rows),
        frozenset(name for name, count in zip(ids, counts, strict=True) if count),
        _utc(since),
    )


def _unusable(table: str, missing: frozenset[str]) -> UsageError:
    if missing:
        return UsageError.of(
            f"The table in which the dbt package records results has no column {', '.join(sorted(missing))}.",
            where=table,
            hint="Use the dbt package of this version of reverse-etl: rename or drop the table, and run: "
            "dbt build.",
        )
    return UsageError.of(
        "dbt's manifest has the package reverse_etl, but the table in which it records results is missing, "
        "or this role may not read it.",
        where=table,
        hint="Run: dbt build. If the table exists, grant SELECT on it to the role of this target.",
    )


def _result(row: Row) -> NodeResult:
    unique_id, status, completed, command, target, invocation, relation, failures, loaded, without = row
    return NodeResult(
        unique_id=str(unique_id),
        status=str(status or "").lower(),
        completed_at=_utc(completed),
        command=str(command or ""),
        target=str(target or ""),
        invocation_id=str(invocation or ""),
        relation=str(relation or ""),
        failures=int(failures or 0),
        loaded_at=_utc(loaded),
        without_rows=bool(without),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
