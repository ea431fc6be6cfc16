"""Rule: guards. A dangerous run is refused before its first write, with its figures."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.progress import ListDone, SendProgress
from reverse_etl.errors import GuardRefused, KlaviyoError, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import BY_EMAIL, become, clubs_model, many, members_model, people, person, send_two
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World


def test_an_empty_source_removes_nobody(prepare_world: PrepareWorld) -> None:
    """The upstream table was empty one night, and one tool removed everybody."""
    members = prepare_world(send_two)
    before = len(members.writes())
    become(members, [])
    with pytest.raises(GuardRefused) as error:
        members.run()
    (problem,) = error.value.problems
    assert "0 rows" in problem.summary
    assert "2 rows were sent before" in problem.summary
    assert "--allow-removes members" in problem.hint
    assert len(members.writes()) == before
    assert len(members.emails()) == 2


def test_a_refused_run_is_remembered_until_the_next(members: World) -> None:
    """`status` says of the newest run that a guard kept it from writing, and why; also of the very first."""
    become(members, [])
    with pytest.raises(GuardRefused):
        members.run()
    (refused,) = members.project().status().refusal_reasons
    told = "The model returned 0 rows; min_rows is 1. 0 rows were sent before. Nothing was sent. At "
    assert refused.startswith(told)
    become(members, people("ann", "bob"))
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 2}
    assert members.project().status().refusal_reasons == ()
    become(members, [])
    with pytest.raises(GuardRefused):
        members.run()
    status = members.project().status()
    assert len(status.refusal_reasons) == 1
    assert [(run.state, run.exit_code) for run in status.runs] == [
        ("refused", 3),
        ("ended", 0),
        ("refused", 3),
    ]
    assert [(listed.applied, listed.last_run and listed.last_run.run_id) for listed in status.lists] == [
        (2, status.runs[1].run_id)
    ]
    become(members, people("ann"))
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}


def test_the_guard_says_why_rows_were_rejected(prepare_world: PrepareWorld) -> None:
    """A corrupted column leaves no valid row: the message names the check, not only the number."""
    members = prepare_world(send_two)
    become(members, [person(name, email=name) for name in ("ann", "bob")])
    with pytest.raises(GuardRefused) as error:
        members.run()
    (problem,) = error.value.problems
    assert problem.summary == "All 2 rows were rejected (e-mail is malformed: 2). Nothing was sent."
    hint = problem.hint.replace("EMAIL", "email")  # as each warehouse names it
    assert hint == (
        "Fix the column email. To see the reasons: reverse-etl plan --select members. "
        "If this is intended, allow it in this run: --allow-rejected members"
    )


def test_the_guard_counts_only_valid_rows(members: World) -> None:
    """With fewer valid rows than min_rows, the message has both numbers."""
    members_model(members, min_rows=3)
    become(members, [*people("ann", "bob"), person("cy", email="cy")])
    with pytest.raises(GuardRefused) as error:
        members.run()
    assert error.value.problems[0].summary == (
        "Only 2 of 3 rows can be sent (rejected: e-mail is malformed: 1); min_rows is 3. "
        "0 rows were sent before. Nothing was sent."
    )


LIMITS: list[tuple[int, int, dict[str, float], bool]] = [
    (20, 10, {}, False),  # ten rows are never many
    (20, 11, {}, True),
    (110, 11, {}, False),  # a tenth is allowed
    (109, 11, {}, True),
    (30, 15, {"max_removes": 0.5}, False),
    (30, 16, {"max_removes": 0.5}, True),
    (20, 11, {"max_removes": 1.0}, False),
    (12, 11, {"max_removes": 0.0}, True),
    (20, 5, {"min_rows": 16}, True),
    (20, 4, {"min_rows": 16}, False),
]


def test_guards_limit_removes_by_share_and_number_and_rows_by_number(world: World) -> None:
    """Over a tenth and over ten, unless the model says otherwise; and no fewer rows than it says."""
    for number, (_, _, config, _) in enumerate(LIMITS):
        select = f"select email from people where club = '{number}'"
        world.model(f"m{number}", select, list=f"List {number}", **config)

    def stay(number: int, count: int) -> list[dict[str, str]]:
        return [person(f"p{number}-{nth}", club=str(number)) for nth in range(count)]

    become(world, [row for number, case in enumerate(LIMITS) for row in stay(number, case[0])])
    allow = Allowances(new_lists=[f"m{number}" for number in range(len(LIMITS))])
    world.run(options=PlanOptions(allow=allow))
    become(world, [row for number, case in enumerate(LIMITS) for row in stay(number, case[0] - case[1])])
    result = world.run()
    for number, (known, leaving, config, refused) in enumerate(LIMITS):
        case = (known, leaving, config)
        outcome = Outcome.NOT_SENT if refused else Outcome.REMOVED
        assert only_list(result, f"m{number}").outcomes == {outcome: leaving}, case
        assert len(world.members(f"List {number}")) == known - (0 if refused else leaving), case


def test_allowing_removes_lets_one_model_pass_once(members: World) -> None:
    """The word is for one model and one run: the next run is guarded as ever."""
    become(members, many(30))
    members.run()
    become(members, many(15))
    members.run(allow_removes=["members"])
    assert len(members.members()) == 15
    become(members, many(3))
    with pytest.raises(GuardRefused):
        members.run()


def test_allowing_removes_for_one_model_does_not_allow_them_for_another(world: World) -> None:
    members_model(world)
    world.model("others", "select email from people", list="Others")
    become(world, many(30))
    world.run()
    become(world, many(15))
    result = world.run(allow_removes=["members"])
    (problem,) = result.plan.problems
    assert "list 'Others'" in problem.where
    assert only_list(result, "others").outcomes == {Outcome.NOT_SENT: 15}
    assert result.exit_code == 3


def test_allowing_removes_for_a_model_that_does_not_exist_is_a_mistake(members: World) -> None:
    become(members, people("ann"))
    with pytest.raises(UsageError, match="memers"):
        members.run(allow_removes=["memers"])


def test_a_list_that_a_guard_stops_is_not_created_and_others_are(world: World) -> None:
    """One model of two is dangerous: its list is not created, and the other model is delivered."""
    world.model("aaa", "select email from people", list="New")
    world.model("zzz", "select email from people where false", list="Empty")
    become(world, people("ann"))
    result = world.run()
    assert result.exit_code == 3
    assert [listed["name"] for listed in world.sandbox.lists()] == ["New"]
    assert only_list(result, "aaa").outcomes == {Outcome.APPLIED: 1}
    assert only_list(result, "zzz").stop_reason.startswith("The model returned 0 rows; min_rows is 1.")


def test_each_list_of_a_model_is_guarded_separately(world: World) -> None:
    """Tea would lose all of its 12; that Coffee has a thousand does not make them few."""
    clubs_model(world)
    tea = [{**row, "club": "Tea"} for row in many(13)]
    coffee = [{**row, "club": "Coffee"} for row in many(200, start=100)]
    become(world, [*tea, *coffee])
    world.run()
    become(world, [tea[0], *coffee, person("new", club="Coffee")])
    result = world.run()
    (problem,) = result.plan.problems
    assert "list 'Tea'" in problem.where
    assert [(listed.list_plan.list_ref.name, listed.outcomes) for listed in result.lists] == [
        ("Coffee", {Outcome.APPLIED: 1}),
        ("Tea", {Outcome.NOT_SENT: 12}),
    ]
    assert len(world.members("Tea")) == 13


def test_rows_without_a_list_are_not_guarded_as_one(world: World) -> None:
    """One row's blank list once looked like a list of no rows, and stopped the whole run."""
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club=None)])
    world.run()
    assert world.emails("Tea") == ["ann@example.com"]


def test_held_removals_do_not_count_as_removes(members: World) -> None:
    """They are not made: 12 mangled e-mails hold their 12 members, and nobody is in danger."""
    become(members, many(20))
    members.run()
    rows = many(20)
    become(members, [*rows[:8], *[{**row, "email": "mangled"} for row in rows[8:]]])
    result = members.run()
    assert (only_list(result).list_plan.removes, only_list(result).list_plan.held_at_plan) == (0, 12)
    assert len(members.members()) == 20


def test_a_list_that_shares_people_with_a_stopped_one_keeps_them(world: World) -> None:
    """The tables of `members` are damaged: who leaves the other list too, and is on Members, is held."""
    members_model(world)
    world.model("others", "select email from vips", list="Others")
    become(world, many(30))
    world.people([*many(3), person("zoe")], table="vips")
    world.run()
    become(world, many(5, start=20))
    world.people([many(1)[0]], table="vips")
    planned = world.plan(options=PlanOptions(sample_size=10))
    sample = next(listed.sample for _, listed in planned.list_plans() if listed.list_ref.name == "Others")
    assert {change.identity: change.op for change in sample} == {
        "email:p0001@example.com": Op.HELD,
        "email:p0002@example.com": Op.HELD,
        "email:zoe@example.com": Op.REMOVE,
    }
    result = world.run()
    assert result.exit_code == 3
    others = only_list(result, "others")
    assert (others.list_plan.removes, others.list_plan.held_at_plan) == (1, 2)
    assert others.outcomes == {Outcome.REMOVED: 1}
    assert world.emails("Others") == [f"p000{number}@example.com" for number in range(3)]
    assert len(world.members()) == 30
    world.run(allow_removes=["members"])
    assert world.emails("Others") == ["p0000@example.com"]
    assert len(world.members()) == 5


def test_rows_that_a_guard_kept_back_are_planned_again(world: World) -> None:
    """Nothing of a stopped list is remembered as sent, and its removals are still removals."""
    members_model(world)
    world.model("others", "select email from people", list="Others", max_removes=1.0)
    become(world, many(30))
    world.run()
    become(world, [*many(10), person("new")])
    assert only_list(world.run(), "members").outcomes == {Outcome.NOT_SENT: 21}
    plan = next(listed for _, listed in world.plan().list_plans() if listed.list_ref.name == "Members")
    assert (plan.adds, plan.removes) == (1, 20)
    become(world, [*many(30), person("new")])
    result = world.run()
    assert result.exit_code == 0
    assert len(world.members()) == len(world.members("Others")) == 31
    assert world.run().plan.estimate_requests() == {}


def test_too_many_new_lists_are_not_created_and_other_lists_are_delivered(world: World) -> None:
    """A wrong list column makes a list of each of its values; the flag lets it pass."""
    clubs_model(world)
    members_model(world)
    become(world, [person(f"p{number}", club=f"Club {number}") for number in range(6)])
    result = world.run()
    assert result.exit_code == 3
    assert [listed["name"] for listed in world.sandbox.lists()] == ["Members"]
    (problem,) = result.plan.problems
    assert problem.summary.startswith("This run would create 6 lists; the limit is 5 in one run.")
    assert problem.hint.endswith("--allow-new-lists clubs")
    assert world.run(options=PlanOptions(allow=Allowances(new_lists=["clubs"]))).exit_code == 0
    assert len(world.sandbox.lists()) == 7


@pytest.mark.parametrize("days", [10, pytest.param(30, marks=pytest.mark.long)])
def test_no_guard_trips_in_many_ordinary_days(members: World, days: int) -> None:
    """A row in 20 joins, changes or leaves; with a canary, a kill, a new column, an outage of two days."""
    size, first = 400, 0
    version: dict[int, int] = {}
    daily = size // 20
    become(members, many(size))
    members.run(options=PlanOptions(limit=10))
    for day in range(days):
        first += daily // 2  # these leave, and as many join
        for number in range(first, first + daily):
            version[number] = day
        rows = many(size, start=first)
        become(
            members,
            [{**row, "first_name": f"v{version.get(first + at, 0)}"} for at, row in enumerate(rows)],
        )
        if day == 2:
            assert members.dies(lambda event: isinstance(event, (SendProgress, ListDone)))
            members.calm()
            continue
        if day in {4, 5}:
            members.fault(Fault(FaultKind.STATUS, "*", "/api/*", status=400, times=None))
            with suppress(KlaviyoError):
                members.run()
            members.calm()
            continue
        if day == 7:
            select = "select email, customer_id, first_name, 'x' as tier from people"
            members.model("members", select, identifiers=BY_EMAIL)
            members.run(options=PlanOptions(limit=10))
        result = members.run()
        assert result.plan.violations == ()
        assert result.exit_code == 0
    assert len(members.members()) == size
