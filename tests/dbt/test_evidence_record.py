"""The record of dbt's results: what a run remembers for the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reverse_etl.dbt.evidence import NodeResult, merge_results
from reverse_etl.dbt.graph import Graph, Node
from reverse_etl.dbt.record import read_record, write_record

if TYPE_CHECKING:
    from pathlib import Path

MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PEOPLE, TEST, SOURCE = "model.shop.people", "test.shop.unique", "source.shop.erp.people"
GRAPH = Graph(
    {
        PEOPLE: Node(PEOPLE, "model", "people", relation="shop.marts.people", materialized="table"),
        TEST: Node(TEST, "test", "unique", attached_node=PEOPLE, parents=(PEOPLE,)),
        SOURCE: Node(SOURCE, "source", "people", source_name="erp"),
    }
)


def test_the_stored_record_reads_back_as_the_same_evidence(tmp_path: Path) -> None:
    """Newest results and times of builds, of each target by itself; without dbt's messages."""
    path = tmp_path / "reverse_etl" / "dbt_results.json"
    days = [MORNING - number * timedelta(days=1) for number in range(4)]
    builds = [
        NodeResult(PEOPLE, "success", day, "build", "prod", f"at {day}", "shop.marts.people") for day in days
    ]
    failed = NodeResult(PEOPLE, "error", MORNING + timedelta(hours=1), "run", "prod", "last", message="ann")
    tested = NodeResult(TEST, "fail", MORNING, "build", failures=3)
    stale = NodeResult(SOURCE, "error", MORNING, "freshness", loaded_at=MORNING)
    evidence = merge_results(GRAPH, [*builds, failed, tested, stale])
    assert read_record(path, "prod") == ()
    write_record(path, "prod", evidence)
    write_record(path, "dev", merge_results(GRAPH, builds))
    again = merge_results(GRAPH, read_record(path, "prod"))
    assert again.builds == evidence.builds
    assert {node: result.status for node, result in again.newest.items()} == {
        PEOPLE: "error",
        TEST: "fail",
        SOURCE: "error",
    }
    assert again.newest[PEOPLE].message == ""
    assert again.newest[SOURCE].loaded_at == MORNING
    assert merge_results(GRAPH, read_record(path, "dev")).newest[PEOPLE].status == "success"


def test_an_empty_build_is_remembered_as_one_and_as_no_build(tmp_path: Path) -> None:
    """A build with rows before it is none after it."""
    path = tmp_path / "dbt_results.json"
    built = NodeResult(PEOPLE, "success", MORNING, "build", relation="shop.marts.people")
    empty = NodeResult(PEOPLE, "success", MORNING + timedelta(hours=1), "build", without_rows=True)
    write_record(path, "prod", merge_results(GRAPH, [built, empty]))
    again = merge_results(GRAPH, read_record(path, "prod"))
    assert again.newest[PEOPLE].without_rows
    assert again.builds == {PEOPLE: (MORNING,)}
