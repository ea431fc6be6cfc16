"""Models without changes: duplicates are not looked for, and conflicts are reported even so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.rows import BY_EMAIL, SELECT, become, members_model, moves, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from reverse_etl.planning.plan import Plan
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World


def send_ann_and_bo(world: World) -> None:
    """Let the model of the list 'Members' have sent two people."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo"))


def told(plan: Plan) -> tuple[int, dict[IdentifierType, int], list[tuple[str, int]]]:
    """Return what a plan tells of its only model: rows that repeat, identifiers left out, rejections."""
    (model,) = plan.models
    return (
        model.duplicate_rows,
        dict(model.omitted_identifiers),
        [(each.reason.code, each.rows) for each in model.lists[0].check_rejections],
    )


def quiet_days(world: World, days: int = 2) -> list[tuple[tuple[int, Any, Any], int]]:
    """Return what each of some days tells on which nothing changes and nothing is sent."""
    quiet = []
    for _ in range(days):
        plan = told(world.plan())
        result = world.run()
        assert not {Outcome.APPLIED, Outcome.REMOVED} & only_list(result).outcomes.keys()
        quiet.append((plan, result.exit_code))
    return quiet


CLASHES = {
    "rows that repeat": ([*people("ann", "bo"), person("ann")], (1, {}, [])),
    "rows that contradict": (
        [*people("ann", "bo"), person("ann", first_name="Anne")],
        (0, {}, [("duplicate", 2)]),
    ),
    "a shared identifier": (
        [*people("ann", "bo"), person("cleo", customer_id="c-ann")],
        (0, {IdentifierType.EXTERNAL_ID: 2}, []),
    ),
    "an identity that is another row's identifier": (
        [*people("ann", "bo"), person("cleo", email=None, customer_id="c-ann")],
        (0, {}, [("identity_is_another_rows_identifier", 1)]),
    ),
}


@pytest.mark.parametrize(("rows", "expected"), CLASHES.values(), ids=CLASHES)
def test_conflicts_are_reported_even_if_nothing_changed(
    world: World,
    rows: list[dict[str, str | None]],
    expected: tuple[int, dict[IdentifierType, int], list[tuple[str, int]]],
) -> None:
    """Also where a row left on the day on which the clash began, so that there are as many rows as before."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo", "dov"))
    moves(world, rows)
    assert quiet_days(world) == [(expected, 0)] * 2


def test_a_row_refused_during_a_full_refresh_stays_rejected(prepare_world: PrepareWorld) -> None:
    """It is at Klaviyo as it is, from before, and sent again no sooner than it or its model changes."""
    world = prepare_world(send_ann_and_bo)
    world.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    assert world.run(options=PlanOptions(full_refresh=True)).exit_code == 1
    world.calm()
    assert quiet_days(world) == [((0, {}, [("still_rejected", 1)]), 0)] * 2
    assert only_list(world.run(strict=True)).list_plan.rejected_by_check == 1


def test_an_identity_that_was_another_rows_is_rejected_if_both_rows_claim_it(
    prepare_world: PrepareWorld,
) -> None:
    """Klaviyo has both as the model says, since a row that lost an identifier keeps it there."""
    world = prepare_world(send_ann_and_bo)
    cleo = person("cleo", email=None, customer_id="c-ann")
    moves(world, [person("ann", customer_id=None), cleo, person("bo")])
    rejected = [("identity_is_another_rows_identifier", 1)]
    became = moves(world, [person("ann"), cleo, person("bo")])
    assert (told(became.plan)[2], became.exit_code) == (rejected, 1)
    assert quiet_days(world) == [((0, {}, rejected), 0)] * 2


def test_an_identifier_shared_by_two_sent_rows_is_reported_in_every_run(world: World) -> None:
    """It came to that behind a limit, which kept the first of them on the list while the second was sent."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "cy"))
    bo = person("bo", customer_id="c-ann")
    moves(world, [bo, person("cy")], unsent="a limit")
    moves(world, [person("ann"), bo, person("cy")])
    assert quiet_days(world) == [((0, {IdentifierType.EXTERNAL_ID: 2}, []), 0)] * 2
    members_model(world, min_rows=0, on_shared_identifier="reject")
    rejecting = world.run()
    assert (told(rejecting.plan)[2], rejecting.exit_code) == ([("shared_identifier", 2)], 1)


def test_an_equal_row_count_does_not_hide_other_rows(prepare_world: PrepareWorld) -> None:
    """One who leaves on the day on which another joins is removed, and the other added."""
    world = prepare_world(send_ann_and_bo)
    result = moves(world, people("ann", "cleo"))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}


def test_an_equal_row_count_does_not_hide_a_changed_value(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_ann_and_bo)
    become(world, [*people("ann"), person("bo", first_name="Bob")])
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert only_list(world.run()).outcomes == {}


def test_a_model_without_changes_is_read_once_and_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At millions of rows each look at them takes about as long as a join."""
    asked: list[str] = []
    for name in ("execute", "fetch"):
        run = getattr(DuckDB, name)

        def note(warehouse: DuckDB, statement: Statement, run: Any = run) -> Any:
            asked.append(statement.text)
            return run(warehouse, statement)

        monkeypatch.setattr(DuckDB, name, note)
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo"))
    asked.clear()
    assert only_list(world.run()).outcomes == {}
    staging, counting = [text for text in asked if "staged_" in text]
    assert staging.startswith("CREATE TABLE")
    assert counting.startswith("SELECT")


@pytest.mark.parametrize("change", ["another list", "a full refresh", "a list that another model sent to"])
def test_values_that_were_left_out_of_the_staged_rows_are_sent_again(
    prepare_world: PrepareWorld, change: str
) -> None:
    """Rows that equal the snapshot's are staged without their values, which then come from it."""
    world = prepare_world(send_ann_and_bo)
    moves(world, people("ann", "bo"))
    if change == "a list that another model sent to":
        world.drop_model("members")
        world.model("others", SELECT, identifiers=BY_EMAIL)
        world.run()
        world.drop_model("others")
        members_model(world, min_rows=0)
    if change == "another list":
        members_model(world, min_rows=0, list="Others")
    for name in ("ann", "bo"):
        world.rename(f"{name}@example.com", first_name="By hand")
    result = world.run(options=PlanOptions(full_refresh=change == "a full refresh"))
    assert only_list(result).outcomes == {Outcome.APPLIED: 2}
    names = [world.person(f"{name}@example.com")["first_name"] for name in ("ann", "bo")]
    assert names == ["Ann", "Bo"]
