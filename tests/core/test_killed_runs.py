"""Rule: state. A run may be killed between any two statements; one more run repairs the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.progress import ListDone
from reverse_etl.state import State
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.killing import die_at, dies_at_statement
from tests.core.rows import BY_EMAIL, SELECT, become, members_model, people, person
from tests.core.world import Interrupted, only_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World

STEP = 1  # of the long test


def deltas(world: World) -> list[str]:
    """Return the identities of which nobody knows yet whether they were applied."""
    ((key,),) = world.state("SELECT table_key FROM models WHERE model = 'members'")
    return [identity for (identity,) in world.state(f"SELECT retl_identity FROM deltas_{key} ORDER BY 1")]


@pytest.mark.parametrize("table", ["snapshot", "deltas", "rejected"])
def test_a_run_may_be_killed_before_each_table_is_created(
    members: World, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """A model that has only some of its tables was never sent."""
    become(members, people("ann"))
    execute = DuckDB.execute

    def die(warehouse: DuckDB, statement: Statement) -> None:
        if " TABLE IF NOT EXISTS" in statement.text and f'"{table}_' in statement.text.lower():
            raise Interrupted
        execute(warehouse, statement)

    with monkeypatch.context() as patched:
        patched.setattr(DuckDB, "execute", die)
        with pytest.raises(Interrupted):
            members.run()
    assert not members.plan().models[0].is_empty
    assert members.run().exit_code == 0
    assert members.emails() == ["ann@example.com"]


def begin_changes(world: World) -> None:
    """Run once; then let rows and values change, and a column and a model be new."""
    members_model(world)
    become(world, [*people("ann", "bob", "cat"), person("bad", email="bad@example.c1")])
    world.run()
    become(
        world,
        [person("ann", first_name="Anna"), *people("bob", "dan"), person("bad", email="worse@example.c1")],
    )
    world.model("members", SELECT.replace("select ", "select 1 as level, "), identifiers=BY_EMAIL)
    world.people([{"email": "zoe@example.com"}], table="others")
    world.model("others", "select email from others", list="Others", identifiers={"email": "email"})


def check_deaths(world: World, deaths: Sequence[int]) -> list[bool]:
    """Kill a run with changes of every kind, and maybe the next; check that one more run repairs the state.

    `begin_changes` prepared the world. `deaths` are the statements at which they are killed. Return for each
    whether it was killed.
    """
    died = []
    for nth in deaths:
        died.append(dies_at_statement(world, nth))
        world.sandbox.finish_jobs()
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com", "dan@example.com"]
    assert world.emails("Others") == ["zoe@example.com"]
    ann = world.person("ann@example.com")
    assert (ann["first_name"], ann["properties"]["level"]) == ("Anna", 1)
    before = len(world.writes())
    plan = only_list(world.run(), "members").list_plan
    assert len(world.writes()) == before
    assert (plan.unchanged, plan.rejected_by_check) == (3, 1)
    # That a row was refused now does not say that the dead run's import did not take it.
    assert {*deltas(world)} <= {"email:worse@example.c1"}
    return died


@pytest.fixture(scope="module")
def counted() -> list[int]:
    """Hold what `statements` has counted, once for all tests."""
    return []


@pytest.fixture
def statements(prepare_world: PrepareWorld, monkeypatch: pytest.MonkeyPatch, counted: list[int]) -> int:
    """Count the statements of a run with changes: a few more or less, by the clock."""
    if not counted:
        world = prepare_world(begin_changes)
        with monkeypatch.context() as patched:
            left = die_at(patched, DuckDB, ("execute", "fetch"), 1_000_000)
            world.run()
        counted.append(1_000_000 - left[0])
    return counted[0]


@pytest.mark.parametrize("part", [1, 2, *(pytest.param(part, marks=pytest.mark.long) for part in (0, 3))])
def test_a_run_may_be_killed_between_statements(
    prepare_world: PrepareWorld, statements: int, part: int
) -> None:
    """Related changes are committed together, so the next run finishes the work. One kill in each quarter."""
    assert check_deaths(prepare_world(begin_changes), [statements * (2 * part + 1) // 8]) == [True]


@pytest.mark.parametrize("tenths", [(6, 5), (9, 2)])
def test_a_recovering_run_may_be_killed_too(
    prepare_world: PrepareWorld, statements: int, tenths: tuple[int, int]
) -> None:
    """It dies while it sends, or before that: the third run ends what both began."""
    deaths = [statements * tenth // 10 for tenth in tenths]
    assert check_deaths(prepare_world(begin_changes), deaths) == [True, True]


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("times", [1, 2])
def test_a_run_may_be_killed_between_any_two_statements(make_world: Callable[..., World], times: int) -> None:
    """The same at each and every statement; also where the next run dies at the statement of that number."""
    nth, died = 1, True
    while died:
        world = make_world(f"death{nth}")
        begin_changes(world)
        died = check_deaths(world, [nth] * times)[0]
        nth += STEP
    assert nth > 80


def test_a_group_of_receipts_is_recorded_once_though_its_commit_is_interrupted(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal came after the commit and before anybody here knew of it."""
    become(members, [*people("ann"), person("bad", email="bad@example.c1")])
    record, left = State.record_receipts, [1]

    def interrupted(*group: Any) -> None:
        record(*group)
        if group[4] and left and left.pop():  # its refusals
            raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(State, "record_receipts", interrupted)
        with pytest.raises(Interrupted):
            members.run()
    members.sandbox.finish_jobs()
    members.run()
    assert members.state("SELECT row_key, row_count FROM rejections") == [("email:bad@example.c1", 1)]


def test_a_kill_after_a_list_is_done_loses_nothing(members: World) -> None:
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, ListDone))
    before = len(members.writes())
    assert only_list(members.run()).list_plan.unchanged == 2
    assert len(members.writes()) == before
