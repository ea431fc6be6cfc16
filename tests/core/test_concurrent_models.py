"""Models are staged and diffed at the same time where the warehouse can; the plan stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.cli.output.json import plan_document
from reverse_etl.planning.plan import PlanOptions
from tests.core.consent import LONG_AGO, consents
from tests.core.rounds import in_rounds
from tests.core.rows import BY_EMAIL, SELECT, become, clubs_model, members_model, people, person

if TYPE_CHECKING:
    from tests.core.world import World

MODELS = 8
WITH_DIGEST = PlanOptions(with_digest=True)


def many_models(world: World, number: int = MODELS) -> None:
    """Send models of the same people to lists of their own."""
    become(world, people("ann", "bob"))
    for index in range(number):
        world.new_list(f"List {index}")
        world.model(f"m{index:02}", SELECT, list=f"List {index}", identifiers=BY_EMAIL)
    world.run()


def plan_as_values(world: World) -> dict[str, Any]:
    """Return all of a plan: its document, with every value, and the digests of its rows."""
    plan = world.plan(options=WITH_DIGEST)
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
    for name in ("cities", "towns"):
        select = f"select email, city from {name}"
        world.model(name, select.replace("towns", "cities"), surface="profiles", on_null="clear")
    world.run()
    fill("bcdef", "b")


def test_the_plan_does_not_depend_on_the_order_in_which_statements_end(world: World) -> None:
    """Its document, its samples and the digests of its rows, whatever model is ahead of the others."""
    mixed_models(world)
    in_turn = plan_as_values(world)
    assert sum(bool(listed["adds"] or listed["removes"]) for listed in in_turn["lists"]) > 3, in_turn
    for seed in range(5):
        with in_rounds(2 + seed, seed):
            assert plan_as_values(world) == in_turn


def test_unchanged_models_take_as_long_as_the_slowest_few(world: World) -> None:
    """Four at a time, twenty models take a quarter of the rounds that they take in turn, and a few more."""
    many_models(world)
    rounds = {}
    for threads in (1, 4, MODELS):
        with in_rounds(threads) as counted:
            world.run()
        rounds[threads] = counted.count
    raise AssertionError(rounds)
