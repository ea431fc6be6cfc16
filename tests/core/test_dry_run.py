"""Promise 5: a plan sends only GETs, changes no file and no table, and is what the run then does."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import UsageError
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, many, members_model, people, person
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import Plan
    from tests.core.world import PrepareWorld, World

POINTS = "email VARCHAR, points INT, first_name VARCHAR"


def files(world: World) -> dict[str, str]:
    """Return every file of the project and the warehouse with a digest of its bytes."""
    paths = (path for path in world.folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(world.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def tables(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of the state."""
    names = world.state("SELECT table_name FROM information_schema.tables ORDER BY 1")
    return {name: world.state(f'SELECT * FROM "{name}" ORDER BY ALL') for (name,) in names}


def busy(world: World) -> None:
    """Let the state hold some of everything.

    Applied, uncertain, rejected, gone, a dead run; then change the model.
    """
    members_model(world)
    clubs_model(world)
    rows = people("ann", "bob", "cat", club="Tea")
    become(
        world,
        [
            *rows,
            person("bad", email="bad@example.c1", club="Tea"),
            person("worse", email="worse", club="Tea"),
        ],
    )
    world.run()
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8))
    become(world, [*rows, person("dan", club="Tea")])
    world.run()
    world.calm()
    become(world, [*rows, person("eve", club="Coffee")])
    assert world.dies(lambda event: isinstance(event, SendProgress))
    world.sandbox.finish_jobs()
    become(
        world,
        [
            person("ann", first_name="Anna", club="Coffee"),
            *people("bob", club="Tea"),
            person("fay", club="Cake"),
        ],
    )


@pytest.mark.parametrize("options", [PlanOptions(), PlanOptions(full_refresh=True), PlanOptions(limit=1)])
def test_a_plan_changes_nothing(prepare_world: PrepareWorld, options: PlanOptions) -> None:
    """Byte for byte, row for row, and with GETs alone.

    Though there is a dead run to settle, a list to create, rows to reject.
    """
    world = prepare_world(busy)
    before, rows, number = files(world), tables(world), max(entry.number for entry in world.sandbox.log())
    people_before, lists_before = world.sandbox.profiles(), world.sandbox.lists()
    plan = world.plan(options=options)
    assert plan.unfinished_runs == 1
    assert files(world) == before
    assert tables(world) == rows
    assert {entry.method for entry in world.sandbox.log(number)} == {"GET"}
    assert (world.sandbox.profiles(), world.sandbox.lists()) == (people_before, lists_before)


def test_the_first_plan_creates_no_state(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    world.project()
    before = files(world)
    assert one_list(world.plan()).adds == 1
    assert files(world) == before
    assert not (world.folder / "shop.reverse_etl.duckdb").exists()


def one_list(plan: Plan) -> ListPlan:
    """Return the only list of a plan."""
    ((_, list_plan),) = plan.list_plans()
    return list_plan


def counts(plan: Plan) -> dict[tuple[str, str], tuple[int, int, int, int, int, int, int, Any]]:
    """Return what a plan says of each list."""
    return {
        (model.model.name, listed.list_ref.name): (
            listed.rows,
            listed.snapshot_rows,
            listed.adds,
            listed.updates,
            listed.removes,
            listed.held_at_plan,
            listed.unchanged,
            [(rejected.reason.code, rejected.rows) for rejected in listed.check_rejections],
        )
        for model, listed in plan.list_plans()
    }


def test_the_run_does_what_the_plan_says(world: World) -> None:
    """A dry run once changed what the next real run sent.

    Here the run's own plan is the same, and its outcomes add up to it.
    """
    members_model(world)
    clubs_model(world)
    become(world, [*people("ann", "bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    rows = [person("ann", first_name="Anna", club="Coffee"), *people("cat", club="Tea")]
    become(world, [*rows, person("dan", club="Cake"), person("x", email="x", club="Cake")])
    planned = world.plan()
    world.plan()
    result = world.run(allow_removes=["members", "clubs"])
    assert counts(result.plan) == counts(planned)
    assert sum(listed.rejected_by_check for _, listed in planned.list_plans()) == 2
    for listed in result.lists:
        assert listed.outcomes.get(Outcome.APPLIED, 0) == listed.list_plan.upserts
        assert listed.outcomes.get(Outcome.REMOVED, 0) == listed.list_plan.removes


def test_without_a_key_a_plan_says_that_lists_were_not_looked_up(world: World) -> None:
    """Lists in the state are planned by; all others count as new."""
    members_model(world)
    become(world, people("ann"))
    world.run()
    world.model("others", "select email from people", list="Others")
    world.profile(private_api_key="")
    number = max(entry.number for entry in world.sandbox.log())
    plan = world.plan()
    assert not plan.lists_looked_up
    assert world.sandbox.log(number) == []
    assert {
        listed.list_ref.name: (listed.list_ref.is_new, listed.adds) for _, listed in plan.list_plans()
    } == {
        "Members": (False, 0),
        "Others": (True, 1),
    }
    with pytest.raises(UsageError):
        world.run()


def test_a_sample_shows_what_changes_and_only_that(world: World) -> None:
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    become(world, [person("ann", first_name="Anna"), person("cat")])
    changes = {
        change.identity: (change.op, dict(change.before), dict(change.after))
        for change in one_list(world.plan()).sample
    }
    assert changes["email:ann@example.com"] == ("update", {"first_name": "Ann"}, {"first_name": "Anna"})
    assert changes["email:cat@example.com"][0] == "add"
    assert changes["email:bob@example.com"][0] == "remove"
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2, Outcome.REMOVED: 1}


def test_a_sample_shows_what_a_column_was_before_its_type_changed(world: World) -> None:
    """A number that becomes text is sent again, and the plan says from what to what."""
    world.model("members", "select email, points, first_name from people", identifiers={"email": "email"})
    world.people([{"email": "ann@example.com", "points": 5, "first_name": "Ann"}], columns=POINTS)
    world.run()
    rows = [{"email": "ann@example.com", "points": "5", "first_name": "Anna"}]
    world.people(rows, columns=POINTS.replace("INT", "VARCHAR"))
    (change,) = one_list(world.plan()).sample
    assert dict(change.before) == {"points": 5, "first_name": "Ann"}
    assert dict(change.after) == {"points": "5", "first_name": "Anna"}


def asked(world: World, since: int) -> dict[Endpoint, int]:
    """Return how many requests of each kind a run sent, but for those that every run sends."""
    kinds = {
        ("POST", "profile-bulk-import-jobs"): Endpoint.START_IMPORT,
        ("GET", "profiles"): Endpoint.PROFILES,
        ("GET", "lists/profiles"): Endpoint.LIST_PROFILES,
        ("DELETE", "lists/relationships/profiles"): Endpoint.REMOVE_FROM_LIST,
    }
    counts: Counter[Endpoint | None] = Counter()
    for entry in world.sandbox.log(since):
        room, _, rest = entry.path.removeprefix("/api/").partition("/")
        path = "/".join([room, *rest.split("/")[1:]])
        counts[kinds.get((entry.method, path))] += 1
    return {kind: number for kind, number in counts.items() if kind}


def test_a_plans_requests_are_those_that_the_run_sends(world: World) -> None:
    """Each identifier of a row to remove is looked up where Klaviyo can look for it."""
    members_model(world, max_removes=1.0)
    become(world, many(250))
    world.run()
    become(world, [*many(130), person("new")])
    number = max(entry.number for entry in world.sandbox.log())
    planned = world.plan()
    assert planned.estimate_requests() == {
        Endpoint.START_IMPORT: 1,
        Endpoint.LIST_PROFILES: 2,
        Endpoint.PROFILES: 2,
        Endpoint.REMOVE_FROM_LIST: 1,
    }
    assert planned.max_list_reads() == 0
    world.run()
    assert asked(world, number) == planned.estimate_requests()


def test_a_plan_estimates_the_requests_that_read_a_list(world: World) -> None:
    """Klaviyo cannot filter a list by external id, so the list is read from the time of the first send."""
    world.model("members", "select customer_id from people", identifiers={"external_id": "customer_id"})
    become(world, many(250))
    world.run()
    world.wait(600.0)
    become(world, many(300))
    world.run()
    for gone, pages in ((280, 1), (249, 3), (0, 1)):  # read from when they were sent, until they are found
        become(world, [row for row in many(300) if row != many(300)[gone]])
        planned = world.plan()
        assert (one_list(planned).removes_without_contact, planned.max_list_reads()) == (1, 3)
        number = max(entry.number for entry in world.sandbox.log())
        assert only_list(world.run()).outcomes.get(Outcome.REMOVED) == 1
        assert asked(world, number)[Endpoint.LIST_PROFILES] == pages
        become(world, many(300))
        world.run()
