"""Evidence: results of several commands become the newest of each node, and results that were lost show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.dbt.age import compute_usual_interval
from reverse_etl.dbt.evidence import (
    Invocation,
    NodeResult,
    RecordedResults,
    find_unrecorded_invocations,
    is_same_relation,
    merge_results,
)
from reverse_etl.dbt.graph import Graph, Node

MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE, TEST, SOURCE = "model.shop.people", "test.shop.unique_people", "source.shop.erp.people"
RELATION = '"shop"."marts"."people"'
GRAPH = Graph(
    {
        PEOPLE: Node(PEOPLE, "model", "people", relation=RELATION, materialized="table"),
        TEST: Node(TEST, "test", "unique_people", attached_node=PEOPLE, parents=(PEOPLE,)),
        SOURCE: Node(SOURCE, "source", "people", source_name="erp"),
    }
)


def result(
    status: str = "success", node: str = PEOPLE, hours: int = 0, command: str = "build", **fields: Any
) -> NodeResult:
    """Return a result, some hours after the morning."""
    return NodeResult(node, status, MORNING + hours * HOUR, command, invocation_id=f"at {hours}", **fields)


def newest(*results: NodeResult, node: str = PEOPLE) -> str | None:
    """Return the status that counts of a node, None where nothing is known."""
    newest_result = merge_results(GRAPH, results).newest.get(node)
    return newest_result.status if newest_result else None


COUNTING = {
    "the newest counts": ([result("error"), result("success", hours=1)], "success"),
    "whatever the order": ([result("success", hours=1), result("error")], "success"),
    "a test alone changes nothing of its table": (
        [result("error"), result("pass", TEST, hours=1, command="test")],
        "error",
    ),
    "a compile is no build": ([result("error"), result("success", hours=1, command="compile")], "error"),
    "nor is dbt docs generate": ([result("error"), result("success", hours=1, command="generate")], "error"),
    "nor is dbt list": ([result("error"), result("success", hours=1, command="list")], "error"),
    "a success of a command that is not known proves nothing": (
        [result("error"), result("success", hours=1, command="dream")],
        "error",
    ),
    "a failure of one counts": ([result("success"), result("error", hours=1, command="dream")], "error"),
    "a result of another relation is not of what is read": (
        [result("error"), result("success", hours=1, relation='"shop"."dbt_ann"."people"')],
        "error",
    ),
    "quotes and case don't make another relation": (
        [result("error"), result("success", hours=1, relation="SHOP.MARTS.PEOPLE")],
        "success",
    ),
    "a node that the manifest lacks does not count": ([result("error", "model.shop.gone")], None),
    "a skipped table is not built": ([result("success"), result("skipped", hours=1)], "skipped"),
}


@pytest.mark.parametrize(("results", "status"), COUNTING.values(), ids=COUNTING)
def test_the_newest_counting_result_of_a_node_decides(results: list[NodeResult], status: str) -> None:
    """Results of commands that build or test, of nodes of this manifest, for the relation that is read."""
    assert newest(*results) == status


def test_a_skipped_test_hides_no_failure_and_one_of_another_relation_does_not_count() -> None:
    """Its table failed, so nobody knows whether the test would pass now."""
    failed = result("fail", TEST, relation=RELATION)
    assert newest(failed, result("skipped", TEST, hours=1), node=TEST) == "fail"
    passed = result("pass", TEST, hours=1, relation="shop.dbt_ann.people")
    assert newest(failed, passed, node=TEST) == "fail"


def test_a_source_has_results_of_source_freshness_alone() -> None:
    """A test that is named like it is none of its own."""
    stale = result("error", SOURCE, command="freshness")
    assert newest(stale, result("success", SOURCE, hours=1), node=SOURCE) == "error"
    assert newest(result("error", command="freshness")) is None


def test_a_result_from_two_places_is_one_and_keeps_its_message() -> None:
    """The table has no messages; run_results.json has."""
    told = result("error", message="It broke")
    untold = replace(told, message="")
    for results in ([told, untold], [untold, told]):
        assert merge_results(GRAPH, results).newest[PEOPLE].message == "It broke"


def test_builds_are_the_successes_that_left_rows() -> None:
    evidence = merge_results(
        GRAPH,
        [
            result(hours=1),
            result(hours=1),
            result(hours=3, command="run"),
            result("error", hours=4),
            result(hours=5, without_rows=True),
            result(hours=6, command="test"),
        ],
    )
    assert evidence.builds == {PEOPLE: (MORNING + 3 * HOUR, MORNING + HOUR)}


RESULTS = [result(status, hours=hours) for hours, status in enumerate(["error", "success"] * 3)]


@given(st.permutations(RESULTS))
def test_the_order_in_which_results_come_does_not_matter(results: list[NodeResult]) -> None:
    assert merge_results(GRAPH, results) == merge_results(GRAPH, RESULTS)


def invocation(
    hours: int = 2, command: str = "build", results: tuple[NodeResult, ...] | None = None
) -> Invocation:
    """Return an invocation as its run_results.json has it."""
    moment = MORNING + hours * HOUR
    node_results = (result(hours=hours, command=command),) if results is None else results
    return Invocation(f"at {hours}", command, "prod", moment, "target/run_results.json", node_results)


LOST = {
    "the table has it": (invocation(), ["at 2"], [result(hours=2)], False),
    "the table lacks it": (invocation(), ["at 1"], [result(hours=1)], True),
    "the table is empty, though it was written": (invocation(), [], [], True),
    "it is older than the table": (invocation(hours=-1), [], [result(hours=1)], False),
    "it builds nothing": (invocation(command="generate"), [], [result(hours=1)], False),
    "it had nothing to do": (invocation(results=()), [], [result(hours=1)], False),
    "later commands built all that it built": (invocation(), ["at 3"], [result(hours=3)], False),
    "it is of nodes that are gone": (
        invocation(results=(result("success", "model.shop.gone", hours=2),)),
        [],
        [result(hours=1)],
        False,
    ),
}


@pytest.mark.parametrize(("written", "ids", "rows", "lost"), LOST.values(), ids=LOST)
def test_a_command_whose_results_the_table_lacks_is_lost(
    written: Invocation, ids: list[str], rows: list[NodeResult], lost: bool
) -> None:
    """Its hook failed, so others may have failed too."""
    recorded = RecordedResults("results", tuple(rows), frozenset(ids), MORNING)
    assert find_unrecorded_invocations(GRAPH, [written], recorded) == ((written,) if lost else ())


INTERVALS = {
    "one build": ([0], None),
    "two builds": ([0, 24], None),
    "every day": ([0, 24, 48], 24),
    "every day, and twice on one": ([0, 24, 26, 48, 72, 96], 24),
    "every week": ([0, 168, 336, 504], 168),
}


@pytest.mark.parametrize(("hours", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_the_usual_interval_is_the_median_of_at_least_two(hours: list[int], expected: Any) -> None:
    """So that one more build on one day does not make a daily table an hourly one."""
    times = [MORNING + hour * HOUR for hour in reversed(hours)]
    assert compute_usual_interval(times) == (expected * HOUR if expected else None)


def test_relations_are_the_same_whatever_their_quotes() -> None:
    assert is_same_relation('"shop"."main"."people"', "shop.main.people")
    assert not is_same_relation('"shop"."main"."people"', "shop.main.people_v2")
