"""Models are staged and diffed at the same time where the warehouse can; the plan stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.output.json import plan_document
from reverse_etl.errors import WarehouseError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.consent import LONG_AGO, consents
from tests.core.killing import run_until_killed
from tests.core.rounds import add_models, count_rounds, in_rounds
from tests.core.rows import become, clubs_model, members_model, people, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World

MODELS = 4
WITH_DIGEST = PlanOptions(with_digest=True)


def plan_as_values(world: World) -> dict[str, Any]:
    """Return all of a plan: its document, with every value, and the digests of its rows.

    The clock is put back: each plan is made at the same time, as long ago as a text says.
    """
    begun = world.clock.seconds
    plan = world.plan(options=WITH_DIGEST)
    world.clock.seconds = begun
    digests = {model_plan.model.name: model_plan.digest for model_plan in plan.models}
    return plan_document(plan, show_values=True) | {"digests": digests}


def mixed_models(world: World) -> None:
    """Send models of many surfaces that have people in common, and change all of them."""

    def fill(names: str, twice: str) -> None:
        become(
            world,
            [
                *(person(name, club="Tea" if name < "d" else "Cake") for name in names),
                *people(twice, twice),
                person(twice, customer_id="c-shared"),
                person("other", customer_id="c-shared"),
                person("bad", email="malformed"),
            ],
        )
        consents(world, *((f"{name}@example.com", LONG_AGO) for name in names), max_removes=1.0)
        world.people([{"email": f"{names[-1]}@example.com"}], "blocked")
        world.people([{"email": f"{names[0]}@example.com"}], "gone")
        world.people(
            [{"email": f"{name}@example.com", "city": None if name in twice else name} for name in names],
            "cities",
        )

    fill("abcde", "x")
    members_model(world, max_removes=1.0)
    clubs_model(world, max_removes=1.0)
    world.model("blocked", "select email from blocked", surface="suppressions")
    world.model("gone", "select email from gone", surface="profile_deletions")
    dated = "select email, city, cast('2026-01-01' as timestamp) + length(city) * interval 1 day as at"
    world.model("dated", f"{dated} from cities", surface="profiles", updated_at="at")
    for name in ("cities", "towns"):
        select = f"select email, city from {name}"
        world.model(name, select.replace("towns", "cities"), surface="profiles", on_null="clear")
    world.run()
    fill("bcdef", "b")


def test_the_plan_does_not_depend_on_the_order_in_which_statements_end(prepare_world: PrepareWorld) -> None:
    """Its document, its samples and the digests of its rows, whatever model is ahead of the others."""
    world = prepare_world(mixed_models)
    in_turn = plan_as_values(world)
    assert sum(bool(listed["adds"] or listed["removes"]) for listed in in_turn["lists"]) > 3, in_turn
    for threads in (2, 4):
        with in_rounds(threads, seed=threads):
            assert plan_as_values(world) == in_turn


def test_unchanged_models_take_as_long_as_the_slowest_few(world: World) -> None:
    """With as many threads, each further model adds nothing; with half as many, models take two turns."""
    add_models(world, range(MODELS))
    in_turn, halved, all_at_once = (count_rounds(world, threads) for threads in (1, MODELS // 2, MODELS))
    statements = (in_turn - all_at_once) / (MODELS - 1)  # of a model
    assert statements > 5
    assert abs(halved - all_at_once - statements) <= 2  # what all models read is read once, by one of them
    add_models(world, range(MODELS, 2 * MODELS))
    assert count_rounds(world, 2 * MODELS) == all_at_once


def test_the_error_of_the_first_model_is_raised(world: World) -> None:
    """Although a later model fails sooner; nothing is sent."""
    become(world, people("ann"))
    members_model(world)
    slow = "select email, case when length(first_name) = 3 then error('slow') end as x from people"
    world.model("slow", slow, list="Slow")
    world.model("wrong", "select email, no_such_column from people", list="Wrong")
    for threads, seed in ((2, 0), (4, 1), (4, 2)):
        with in_rounds(threads, seed), pytest.raises(WarehouseError, match="slow"):
            world.run()
    assert not world.writes()


def test_no_transaction_is_open_while_models_are_staged_and_diffed(prepare_world: PrepareWorld) -> None:
    """Threads of one session would share it."""
    world = prepare_world(mixed_models)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DuckDB, "transaction", lambda _: pytest.fail("a transaction begins"))
        world.plan()


def test_runs_with_models_at_the_same_time_converge(world: World) -> None:
    """They send what the models say, and the next run sends nothing."""
    with in_rounds(4, seed=1):
        mixed_models(world)
        world.run()
        world.calm()
        world.wait(600.0)
        world.run()
        number = len(world.writes())
        world.run()
    assert len(world.writes()) == number
    assert set(world.emails("Cake")) >= {"d@example.com", "e@example.com", "f@example.com"}
    assert "a@example.com" not in world.emails("Tea")


@pytest.mark.parametrize("step", [32, pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_run_that_dies_while_models_run_is_recovered(make_world: Callable[..., World], step: int) -> None:
    """At any statement of any model, whatever the others do in that moment."""
    for nth in range(30, 500, step):
        world = make_world(f"dies{nth}")
        become(world, people("ann", "bob"))
        members_model(world, max_removes=1.0)
        world.model("club", "select email from people", list="Club", max_removes=1.0)
        world.run()
        become(world, people("bob", "cat", "dan"))
        with in_rounds(2, seed=nth):
            died = run_until_killed(world, nth, DuckDB, "execute", "fetch")
            world.calm()
            world.wait(900.0)
            world.run()
            assert world.run().exit_code == 0
        for name in ("Members", "Club"):
            assert world.emails(name) == [f"{who}@example.com" for who in ("bob", "cat", "dan")]
        if not died:
            return
    raise AssertionError("the run has more statements than were tried")
