"""Rule: guards. Too many adds, updates or newly rejected rows stop their list; a first load does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import GuardRefused
from reverse_etl.planning.guards import exempt_notes
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.surfaces.interface import Guards
from tests.core.rows import BY_EMAIL, become, clubs_model, many, members_model, person
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World


ADDS: list[tuple[int, int, dict[str, object], bool]] = [
    (40, 50, {}, False),  # fifty rows are never many
    (40, 51, {}, True),
    (400, 100, {}, False),  # a quarter is allowed
    (400, 101, {}, True),
    (40, 60, {"max_adds": 1.5}, False),
    (40, 61, {"max_adds": 1.5}, True),
    (40, 51, {"max_adds": {"floor": 51}}, False),
    (400, 61, {"max_adds": {"cap": 60}}, True),
]


def test_adds_are_bounded_by_share_and_number(world: World) -> None:
    """40 rows that became 5,000 were sent without a word, and every new member starts flows."""
    names = [f"m{number}" for number in range(len(ADDS))]
    for name, (_, _, config, _) in zip(names, ADDS, strict=True):
        world.model(name, f"select '{name}' || email as email from {name}", list=name, **config)
        world.new_list(name)

    def send(allow: Allowances, *, after: bool) -> RunResult:
        for name, (known, added, _, _) in zip(names, ADDS, strict=True):
            world.people(many(known + after * added), table=name)
        return world.run(options=PlanOptions(allow=allow))

    send(Allowances(), after=False)
    result = send(Allowances(), after=True)
    assert result.exit_code == 3
    problems = {
        problem.where.rpartition("'")[0].rpartition("'")[2]: problem for problem in result.plan.problems
    }
    assert [name in problems for name in names] == [stopped for _, _, _, stopped in ADDS]
    for name, (known, added, config, stopped) in zip(names, ADDS, strict=True):
        assert len(world.members(name)) == known + (0 if stopped else added), config
        if stopped:
            problem = problems[name]
            assert problem.summary.startswith(f"{added} rows would be added to {known}; the limit is ")
            assert "flows" in problem.hint.lower()
            assert "--limit 10" in problem.hint
            assert problem.hint.endswith(f"--allow-adds {name}")
    assert send(Allowances(adds=names), after=True).exit_code == 0
    assert [len(world.members(name)) for name in names] == [known + added for known, added, _, _ in ADDS]


def test_a_first_load_lasts_until_a_run_leaves_nothing_unsent(members: World) -> None:
    """A canary, a kill and a run that could not be sent are not the end of a first load."""
    become(members, many(400))
    assert members.plan().models[0].lists[0].first_load
    members.run(options=PlanOptions(limit=10))
    assert members.dies(lambda event: isinstance(event, SendProgress), options=PlanOptions(limit=20))
    members.calm()
    members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=400, times=None))
    assert members.run().exit_code == 4
    members.calm()
    plan = members.plan().models[0].lists[0]
    assert plan.first_load
    assert plan.adds > 300
    members.run()
    assert not members.plan().models[0].lists[0].first_load
    become(members, many(600))
    with pytest.raises(GuardRefused, match="200 rows would be added to 400; the limit is 100"):
        members.run()


@pytest.mark.parametrize(
    ("known", "limit"), [(1_200, 1_000), (2_000, 1_000), (2_400, 1_200), (3_000_000, 1_000_000)]
)
def test_the_limit_of_updates_is_a_share_with_a_floor_and_a_cap(known: int, limit: int) -> None:
    assert Guards(min_rows=0).max_updates.allowed_rows(known) == limit


@pytest.mark.parametrize(
    ("known", "changed", "stopped"),
    [
        (1_200, 1_001, True),
        pytest.param(1_200, 1_000, False, marks=pytest.mark.long),
        pytest.param(2_400, 1_201, True, marks=pytest.mark.long),
    ],
)
def test_updates_are_bounded_by_share_and_number(
    members: World, known: int, changed: int, stopped: bool
) -> None:
    """A column that was recomputed for most rows, by mistake."""
    become(members, many(known))
    members.run()
    rows = [{**row, "first_name": "Other"} for row in many(changed)]
    become(members, [*rows, *many(known)[changed:]])
    if not stopped:
        assert members.run().exit_code == 0
        return
    with pytest.raises(GuardRefused, match=f"{changed:,} of {known:,} rows would be updated") as error:
        members.run()
    assert error.value.problems[0].hint.endswith("--allow-updates members")
    assert members.run(options=PlanOptions(full_refresh=True)).exit_code == 0


def test_updates_of_a_model_that_changed_are_counted_and_do_not_trip(members: World) -> None:
    """A new column changes every row; so it does after a canary, and after a run that could not be sent."""
    become(members, many(1_200))
    members.run()
    select = "select email, customer_id, first_name, 1 as tier from people"
    members.model("members", select, identifiers=BY_EMAIL)
    plan = members.plan()
    (list_plan,) = plan.models[0].lists
    assert (list_plan.updates, list_plan.checked_updates) == (1_200, 0)
    assert exempt_notes(plan.models[0], list_plan) == [
        "1,200 updates exceed the limit of 1,000, and may be sent: the model's SQL or config changed"
    ]
    members.run(options=PlanOptions(limit=10))
    members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=400, times=None))
    assert members.run().exit_code == 4
    members.calm()
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 1_190}
    become(members, [{**row, "first_name": "Other"} for row in many(1_200)])
    with pytest.raises(GuardRefused):
        members.run()


@pytest.mark.parametrize(("mangled", "stopped"), [(50, False), (51, True)])
def test_newly_rejected_rows_are_bounded(members: World, mangled: int, stopped: bool) -> None:
    """A column that broke for some rows: those that were rejected before don't count."""
    old = [{**row, "email": "old"} for row in many(30, start=500)]
    become(members, [*many(100), *old])
    members.run()
    rows = many(100)
    become(members, [*rows[mangled:], *({**row, "email": "mangled"} for row in rows[:mangled]), *old])
    if not stopped:
        assert members.run().exit_code == 1
        return
    with pytest.raises(GuardRefused) as error:
        members.run()
    (problem,) = error.value.problems
    assert problem.summary == (
        "51 rows are newly rejected (e-mail is malformed: 51); the limit is 50 (max_rejected is 10 %). "
        "Nothing was sent."
    )
    with pytest.raises(GuardRefused):  # a run that was stopped does not make them known
        members.run()
    assert members.run(options=PlanOptions(allow=Allowances(rejected=["members"]))).exit_code == 1
    assert members.run().plan.violations == ()  # now they are known


def test_a_stopped_list_does_not_make_its_rejected_rows_known(world: World) -> None:
    """The other list was delivered; the next run still stops this one."""
    clubs_model(world)
    tea = [{**row, "club": "Tea"} for row in many(100)]
    become(world, [*tea, person("ann", club="Coffee")])
    world.run()
    become(
        world, [*({**row, "email": "mangled"} for row in tea[:60]), *tea[60:], person("bob", club="Coffee")]
    )
    for _ in range(2):
        result = world.run(allow_removes=["clubs"])
        assert result.exit_code == 3
        assert [problem.summary[:27] for problem in result.plan.problems] == ["60 rows are newly rejected "]
    assert world.emails("Coffee") == ["bob@example.com"]
    assert len(world.members("Tea")) == 100


def test_a_first_load_with_some_bad_rows_does_not_trip(members: World) -> None:
    """Although more rows are malformed than may be in a later run."""
    become(members, [*many(900), *({**row, "email": "bad"} for row in many(60, start=1_000))])
    assert members.run().exit_code == 1


def test_rows_without_a_list_stop_their_model_if_they_are_many(world: World) -> None:
    """The list column broke for most rows; a model that is not concerned goes on."""
    clubs_model(world)
    members_model(world)
    become(world, [{**row, "club": "Tea"} for row in many(120)])
    world.run()
    become(world, [{**row, "club": None if number < 70 else "Tea"} for number, row in enumerate(many(121))])
    result = world.run()
    assert result.exit_code == 3
    assert only_list(result, "members").outcomes == {Outcome.APPLIED: 1}
    (problem,) = result.plan.problems
    assert problem.summary.startswith("70 rows are newly rejected (no list name: 70); the limit is 50")
    assert result.lists[0].stop_reason == problem.summary
