"""A saved plan is carried out as it was shown, to the row, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.saved_plan import SavedPlan
from reverse_etl.planning.violations import Allowances
from tests.core.rows import become, clubs_model, many, members_model, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World


def saved(
    world: World,
    *,
    options: PlanOptions | None = None,
    allow_removes: Sequence[str] | tuple[Any, ...] = (),
    **selection: Any,
) -> SavedPlan:
    """Plan, and return the plan as it comes back from its file."""
    options = options or PlanOptions()
    project = world.project()
    plan = project.plan(
        options=PlanOptions(options.full_refresh, options.limit, options.rekey, with_digest=True), **selection
    )
    made = SavedPlan.from_plan(
        plan,
        project.target,
        options=replace(options, allow=Allowances(removes=allow_removes)),
        made_at="2026-11-22T06:00:00.000Z",
    )
    return SavedPlan.from_bytes(made.to_bytes(), "plan.json")


def applied(world: World, plan: SavedPlan) -> RunResult:
    """Carry a saved plan out, as another process would."""
    return world.project().apply(plan)


def refused(world: World, plan: SavedPlan) -> list[str]:
    """Return what is said of a plan that is not carried out, after which nothing was written."""
    before = len(world.writes())
    with pytest.raises(GuardRefused) as caught:
        applied(world, plan)
    assert len(world.writes()) == before
    return [problem.summary for problem in caught.value.problems]


def test_a_saved_plan_is_what_is_sent(world: World) -> None:
    members_model(world, max_removes=1.0)
    become(world, people("ann", "bo", "cleo"))
    world.run()
    become(world, [person("ann", first_name="Anne"), *people("bo", "dov")])
    result = only_list(applied(world, saved(world)))
    assert result.outcomes == {Outcome.APPLIED: 2, Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "bo@example.com", "dov@example.com"]
    assert not only_list(world.run()).outcomes


def test_the_first_plan_of_all_can_be_applied(world: World) -> None:
    clubs_model(world)
    become(world, [*people("ann", club="Tea"), *people("bo", club="Coffee")])
    applied(world, saved(world))
    assert (world.emails("Tea"), world.emails("Coffee")) == (["ann@example.com"], ["bo@example.com"])


SAME_COUNTS = "members would send as many rows as planned"
MOVES = {
    "a row came": ([*people("ann", "bo", "cleo")], "rows 2, now 3; adds 1, now 2"),
    "a row left": ([], "rows 2, now 0; adds 1, now 0; removes 0, now 1; unchanged 1, now 0"),
    "a row is another person's": (people("ann", "cleo"), SAME_COUNTS),
    "a value is another": ([*people("ann"), person("bo", first_name="Beau")], SAME_COUNTS),
    "a second identifier is another": ([*people("ann"), person("bo", customer_id="c-2")], SAME_COUNTS),
    "a value is gone": ([*people("ann"), person("bo", first_name=None)], SAME_COUNTS),
    "a row is refused": ([*people("ann"), person("bo", email="b@")], "rows 2, now 1; adds 1, now 0; reject"),
}


def test_a_plan_that_has_changed_is_refused(world: World) -> None:
    members_model(world, min_rows=0, identifiers={"email": "email", "external_id": "customer_id"})
    become(world, people("ann"))
    world.run()
    become(world, people("ann", "bo"))
    plan = saved(world)
    for case, (rows, said) in MOVES.items():
        become(world, rows)
        (what,) = refused(world, plan)
        assert said in what, case
        assert world.emails() == ["ann@example.com"], case
        assert world.state("SELECT state FROM runs ORDER BY started_at DESC LIMIT 1") == [("refused",)], case
    assert len(world.state("SELECT state FROM runs WHERE state = 'refused'")) == len(MOVES)


def test_swapped_values_change_the_plan(world: World) -> None:
    members_model(world)
    become(world, [person("ann", first_name="A"), person("bo", first_name="B")])
    plan = saved(world)
    become(world, [person("ann", first_name="B"), person("bo", first_name="A")])
    assert refused(world, plan)


TYPES = {
    "a timestamp that became text": ("TIMESTAMP '2026-01-01 10:00:00'", "'2026-01-01 10:00:00'"),
    "text that became a blob": ("'abc'", "'abc'::BLOB"),
    "a decimal that became a double": ("12345678901234.25::DECIMAL(18, 2)", "12345678901234.25::DOUBLE"),
}


@pytest.mark.parametrize(("was", "now"), TYPES.values(), ids=TYPES)
def test_a_changed_column_type_changes_the_plan(world: World, was: str, now: str) -> None:
    """Its values may read alike, and are sent otherwise."""
    world.model("members", "select email, x from people")
    world.sql(f"CREATE TABLE people AS SELECT 'ann@example.com' AS email, {was} AS x")
    plan = saved(world)
    world.sql(f"CREATE OR REPLACE TABLE people AS SELECT 'ann@example.com' AS email, {now} AS x")
    assert SAME_COUNTS in refused(world, plan)[0]


def test_a_list_adopted_since_changes_the_plan(world: World) -> None:
    """Members who would have stayed would be removed now."""
    world.put_on_list(world.new_list(), world.new_profile(email="ann@example.com"))
    world.wait(600.0)
    members_model(world, max_removes=1.0)
    become(world, people("ann", "bo"))
    world.run()
    become(world, people("bo"))
    plan = saved(world)
    world.project().adopt(["members"])
    assert refused(world, plan)


def test_two_lists_of_one_name_differ_by_their_ids(world: World) -> None:
    """A second one made by hand, and named by its id in the profile."""
    clubs_model(world)
    become(world, people("ann", club="Tea"))
    world.run()
    world.profile(lists={"Tea": world.new_list("Tea")})
    become(world, people("bo", club="Tea"))
    result = applied(world, saved(world, allow_removes=["clubs"]))
    assert sum(rows for each in result.lists for rows in each.outcomes.values()) == 2


def test_a_plan_is_applied_once(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    plan = saved(world)
    run_id = applied(world, plan).run_id
    world.wait()
    world.run()
    with pytest.raises(GuardRefused) as caught:
        applied(world, plan)
    started = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]} {run_id[9:11]}:{run_id[11:13]} UTC"
    said = f"The plan was applied already, by the run {run_id} of {started}. Nothing was sent."
    assert caught.value.problems[0].hint.startswith(said)


def test_a_plan_that_an_ordinary_run_has_sent_names_the_runs_since(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    plan = saved(world)
    become(world, people("ann", "bob"))
    run_id = world.run().run_id
    with pytest.raises(GuardRefused) as caught:
        applied(world, plan)
    said = f"The plan may have been applied already. Runs since it was saved: {run_id} of "
    assert caught.value.problems[0].hint.startswith(said)


def test_a_changed_model_is_refused_before_any_request(world: World) -> None:
    """Also where it would send the same rows; and one that is gone."""
    members_model(world)
    become(world, people("ann"))
    plan = saved(world)
    world.model("members", "select email, customer_id, first_name from people where true")
    asked = len(world.sandbox.log())
    assert refused(world, plan) == ["The model members changed since the plan was saved."]
    world.drop_model("members")
    world.model("others", "select email from people", list="Others")
    assert refused(world, plan) == ["The model members was removed since the plan was saved."]
    assert len(world.sandbox.log()) == asked


def test_apply_uses_the_options_of_the_plan(world: World) -> None:
    """A limit, a full refresh, and a model that may pass its guards; a guard that it may not pass holds."""
    members_model(world)
    become(world, many(40))
    limited = saved(world, options=PlanOptions(limit=30))
    assert only_list(applied(world, limited)).outcomes == {Outcome.APPLIED: 30, Outcome.NOT_SENT: 10}
    world.run()
    again = saved(world, options=PlanOptions(full_refresh=True))
    assert only_list(applied(world, again)).outcomes == {Outcome.APPLIED: 40}
    become(world, many(20))
    assert "20 of 40 rows would be removed" in refused(world, saved(world))[0]
    allowed = saved(world, allow_removes=["members"])
    assert only_list(applied(world, allowed)).outcomes == {Outcome.REMOVED: 20}


def test_a_plan_of_one_model_leaves_the_others_alone(world: World) -> None:
    members_model(world)
    world.model("vip", "select email from people", list="VIP")
    become(world, people("ann"))
    applied(world, saved(world, select=["vip"]))
    assert [listed["name"] for listed in world.sandbox.lists()] == ["VIP"]


def test_a_run_killed_since_is_settled_first_and_changes_the_plan(world: World) -> None:
    members_model(world)
    become(world, many(5))
    plan = saved(world)
    assert world.dies(lambda event: isinstance(event, SendProgress))
    world.calm()
    world.wait()
    assert refused(world, plan)
    assert only_list(world.run()).outcomes in ({}, {Outcome.APPLIED: 5})


def test_a_plan_for_another_warehouse_or_account_is_refused(
    world: World, make_world: Callable[..., World]
) -> None:
    """Exit 2: it is the file or the target that is wrong, and nothing was asked of the warehouse."""
    members_model(world)
    become(world, people("ann"))
    plan = saved(world)
    other = make_world("other", account_seed="another")
    members_model(other)
    become(other, people("ann"))
    with pytest.raises(UsageError, match="The plan was made for the target 'trial/http"):
        applied(other, plan)
    here = plan.model_copy(update={"account": "Xx1234"})
    with pytest.raises(UsageError, match="The plan was made for the Klaviyo account Xx1234"):
        applied(world, here)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"adds": 1', b'"adds": 2', "The plan was changed after it was saved."),
        (
            b'"version": 2',
            b'"version": 9',
            "The plan's format has version 9; this reverse-etl reads version 2.",
        ),
        (b'"digest"', b'"digets"', "The file is not a saved plan."),
        (b"{", b"[", "The file is not a saved plan."),
    ],
)
def test_a_file_that_is_not_a_plan_or_was_edited_is_refused(
    world: World, old: bytes, new: bytes, said: str
) -> None:
    members_model(world)
    become(world, people("ann"))
    made = saved(world).to_bytes()
    with pytest.raises(UsageError) as caught:
        SavedPlan.from_bytes(made.replace(old, new), "plan.json")
    assert (caught.value.problems[0].summary, caught.value.problems[0].where) == (said, "plan.json")


def test_a_saved_plan_contains_no_row(world: World) -> None:
    """It lies in a pipeline's artifacts, where anybody may read it."""
    members_model(world)
    become(world, people("ann"))
    made = saved(world).to_bytes()
    assert b"ann" not in made.lower()
