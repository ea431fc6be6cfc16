"""Models with `updated_at`: only the rows that it shows are compared, until the next full comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.commands.run import print_follow_up
from reverse_etl.cli.output.json import plan_document, result_document
from reverse_etl.cli.output.plan import show_plan
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError
from reverse_etl.planning import complete_rows
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.report.page import render_page
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.killing import run_until_killed
from tests.core.rows import BY_EMAIL, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.delivery.results import RunResult
    from tests.core.world import PrepareWorld, World

DAY = 86_400.0
COLUMNS = "email VARCHAR, customer_id VARCHAR, first_name VARCHAR, club VARCHAR, updated_at BIGINT"
SELECT = "select email, customer_id, first_name, updated_at from people"


def model(world: World, select: str = SELECT, **config: Any) -> None:
    """Write the model of the list 'Members', with updated_at."""
    settings = {"identifiers": BY_EMAIL, "min_rows": 0, "max_removes": 1.0, "updated_at": "updated_at"}
    world.model("members", select, **(settings | config))


def become(world: World, rows: list[dict[str, Any]]) -> None:
    """Let the table of people be these rows; they changed at 1 if they don't say when."""
    world.people([{"updated_at": 1} | row for row in rows], columns=COLUMNS)


def compared(result: RunResult) -> int | None:
    """Return how many rows a run compared, None for all."""
    comparison = result.plan.models[0].comparison
    assert comparison is not None
    return None if comparison.is_full else comparison.compared_rows


def day(world: World, rows: list[dict[str, Any]], **options: Any) -> tuple[int | None, dict[Outcome, int]]:
    """Let a day pass and the rows be these; run, and return what was compared, and what came of it."""
    become(world, rows)
    world.wait(DAY)
    result = world.run(**options)
    world.calm()
    return compared(result), only_list(result).outcomes


def compare_once(world: World) -> None:
    model(world)
    assert day(world, people("ann", "bo", "cy")) == (None, {Outcome.APPLIED: 3})


@pytest.fixture
def members(prepare_world: PrepareWorld) -> World:
    """Make a world whose first, full comparison has settled."""
    return prepare_world(compare_once)


def first_names(world: World) -> list[str]:
    return sorted(str(member["first_name"]) for member in world.members())


def test_only_rows_with_another_updated_at_are_compared(members: World) -> None:
    """Also one that went back, one that is new, and one without a value; who left is removed."""
    rows = people("ann", "bo", "cy")
    assert day(members, rows) == (0, {})
    rows[0] |= {"first_name": "Anne", "updated_at": 2}
    assert day(members, rows) == (1, {Outcome.APPLIED: 1})
    assert day(members, rows) == (0, {})
    rows[0] |= {"first_name": "Ann", "updated_at": 0}
    rows[1] |= {"updated_at": None}
    assert day(members, [*rows, person("dov")]) == (3, {Outcome.APPLIED: 2})
    assert day(members, [rows[0], rows[1]]) == (1, {Outcome.REMOVED: 2})
    assert first_names(members) == ["Ann", "Bo"]


def test_a_row_that_was_touched_and_is_equal_is_compared_once(members: World) -> None:
    rows = people("ann", "bo", "cy", updated_at=2)
    assert day(members, rows) == (3, {})
    assert day(members, rows) == (0, {})


def test_a_lie_lasts_until_the_next_full_comparison(members: World) -> None:
    """That is a week after the last one, or a full refresh."""
    rows = people("ann", "bo", "cy")
    rows[0]["first_name"] = "Anne"
    members.wait(5 * DAY)
    assert day(members, rows) == (0, {})
    assert first_names(members)[0] == "Ann"
    assert day(members, rows) == (None, {Outcome.APPLIED: 1})
    assert first_names(members)[0] == "Anne"
    rows[0]["first_name"] = "Anna"
    assert day(members, rows) == (0, {})
    report = members.project().report()
    assert report.partly_compared_models == {"members": 0}
    assert "<b>members</b>: 0 rows were compared." in " ".join(render_page(report).split())
    refresh = PlanOptions(full_refresh=True)
    assert day(members, rows, options=refresh) == (None, {Outcome.APPLIED: 3})
    assert not members.project().report().partly_compared_models
    assert day(members, rows) == (0, {})


def test_a_run_says_how_many_rows_it_compared(members: World, capsys: pytest.CaptureFixture[str]) -> None:
    members.wait(DAY)
    result = members.run()
    print_follow_up(result)
    assert "members: compared: 0 rows by updated_at; last full comparison: 24h ago" in capsys.readouterr().err
    assert result_document(result)["models"][0]["comparison"]["compared_rows"] == 0


def test_plan_and_explain_say_what_waits_for_a_full_comparison(
    members: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = people("ann", "bo", "cy")
    rows[0]["first_name"] = "Anne"
    rows[1] |= {"first_name": "Bob", "updated_at": 2}
    become(members, rows)
    members.wait(2 * DAY)
    plan = members.plan()
    show_plan(plan, show_values=True)
    assert "compared: 1 row by updated_at; last full comparison: 2d ago" in capsys.readouterr().out
    hidden, shown = (
        members.project().explain(f"{name}@example.com").lists[0].describe_next_run()
        for name in ("ann", "bo")
    )
    assert hidden.startswith(
        "nothing: its updated_at is as when the row was compared last. The first run after"
    )
    assert hidden.endswith("sends the row again: first_name Ann → Anne")
    assert shown == "sends the row again: first_name Bo → Bob"
    members.wait(6 * DAY)
    show_plan(members.plan(), show_values=True)
    assert "compared: all rows; last full comparison: 8d ago" in capsys.readouterr().out
    explained = members.project().explain("ann@example.com").lists[0]
    assert explained.describe_next_run() == "sends the row again: first_name Ann → Anne"


def test_a_row_that_is_sent_without_its_e_mail_is_compared_by_every_run_and_explain_says_so(
    world: World,
) -> None:
    """Two people swapped their e-mails, so that the snapshot lacks what the rows have."""
    model(world, identifiers={"external_id": "customer_id", "email": "email"})
    day(world, people("ann", "bo"))
    swapped = [person("ann", email="bo@example.com"), person("bo", email="ann@example.com")]
    for updated_at in (2, 3):
        day(world, [{**row, "updated_at": updated_at} for row in swapped])
    become(world, [{**row, "updated_at": 3, "first_name": "New"} for row in swapped])
    explained = world.project().explain("c-ann").lists[0].describe_next_run()
    assert explained == "sends the row again: first_name Ann → New"
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}


CHANGES: dict[str, dict[str, Any]] = {
    "its SQL": {"select": SELECT.replace("first_name,", "upper(first_name) as first_name,")},
    "its config": {"on_shared_identifier": "reject"},
    "the type of updated_at": {
        "select": SELECT.replace(" updated_at", " cast(updated_at as text) as updated_at")
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_model_is_compared_in_full(members: World, change: dict[str, Any]) -> None:
    rows = people("ann", "bo", "cy")
    model(members, **change)
    assert day(members, rows)[0] is None
    assert day(members, rows) == (0, {})


def test_a_changed_type_of_a_table_is_compared_in_full(members: World) -> None:
    members.sql("ALTER TABLE people ALTER first_name TYPE VARCHAR[] USING [first_name]")
    members.wait(DAY)
    result = members.run()
    assert (compared(result), only_list(result).outcomes) == (None, {Outcome.APPLIED: 3})


def test_a_full_comparison_that_leaves_a_change_open_does_not_count(members: World) -> None:
    """Nothing else would show the change to a run that compares by updated_at."""
    rows = people("ann", "bo", "cy", first_name="Anne")
    members.wait(7 * DAY)
    limit = PlanOptions(limit=1)
    assert day(members, rows, options=limit) == (None, {Outcome.APPLIED: 1, Outcome.NOT_SENT: 2})
    members.fault(Fault(FaultKind.CANCEL))
    assert day(members, rows)[0] is None
    assert day(members, rows)[0] is None
    assert first_names(members) == ["Anne"] * 3
    assert day(members, rows) == (0, {})


def test_a_config_that_was_changed_back_is_compared_in_full(members: World) -> None:
    """The runs in between sent other values of the same updated_at, and did not settle."""
    rows = people("ann", "bo", "cy")
    model(members, SELECT.replace("first_name,", "upper(first_name) as first_name,"))
    result = day(members, rows, options=PlanOptions(limit=1))
    assert result == (None, {Outcome.APPLIED: 1, Outcome.NOT_SENT: 2})
    model(members)
    assert day(members, rows) == (None, {Outcome.APPLIED: 1})
    assert first_names(members) == ["Ann", "Bo", "Cy"]
    world_without = {"updated_at": ""}
    model(members, SELECT.replace("first_name, updated_at", "'X' as first_name"), **world_without)
    become(members, rows)
    members.run()
    model(members)
    assert day(members, rows) == (None, {Outcome.APPLIED: 3})


def test_all_rows_protect_and_conflict_as_ever(members: World) -> None:
    """A row that was not compared shares an identifier, repeats, or is the identity of another row."""
    rows = people("ann", "bo", "cy")
    shared = [*rows, person("dov", customer_id="c-ann")]
    assert day(members, shared) == (1, {Outcome.APPLIED: 1})
    assert only_list(members.run()).outcomes == {}
    assert day(members, rows) == (0, {Outcome.REMOVED: 1})
    again = day(members, [*rows, person("ann", first_name="Anne")])
    assert again == (2, {})
    assert [entry.reason.code for entry in only_list(members.run()).list_plan.check_rejections] == [
        "duplicate"
    ]
    assert day(members, rows)[0] == 1
    assert members.emails() == ["ann@example.com", "bo@example.com", "cy@example.com"]


def test_refused_rows_are_compared_until_they_are_accepted(members: World) -> None:
    rows = people("ann", "bo", "cy")
    rows[0] |= {"first_name": "Anne", "updated_at": 2}
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    assert day(members, rows) == (1, {Outcome.REJECTED: 1})
    assert day(members, rows) == (1, {})
    members.project().retry()
    assert day(members, rows) == (1, {Outcome.APPLIED: 1})
    assert day(members, rows) == (0, {})


def test_rows_without_an_identity_are_known_rejections_in_each_comparison(members: World) -> None:
    rows = [*people("ann", "bo", "cy"), {"email": None, "first_name": "Nobody"}]
    assert day(members, rows)[0] == 1
    assert members.run().exit_code == 0
    model(members, description="compared in full")
    assert day(members, rows)[0] is None
    assert members.run().exit_code == 0


def test_lists_of_a_column_are_compared_row_by_row(world: World) -> None:
    """A person who moves to another list is new there; a changed row is compared with the person's others."""
    select = "select email, customer_id, first_name, club, updated_at from people"
    world.model(
        "clubs",
        select,
        identifiers=BY_EMAIL,
        list_column="club",
        min_rows=0,
        max_removes=1.0,
        updated_at="updated_at",
    )
    rows = [person("ann", club="Tea"), person("ann", club="Cake"), person("bo", club="Tea")]
    become(world, rows)
    world.run()
    rows[2]["club"] = "Cake"
    become(world, rows)
    result = world.run()
    assert compared(result) == 1
    rows[0]["updated_at"] = 2
    become(world, rows)
    assert compared(world.run()) == 2
    assert (world.emails("Tea"), world.emails("Cake")) == (
        ["ann@example.com"],
        ["ann@example.com", "bo@example.com"],
    )


def test_a_row_that_changes_between_the_two_reads_is_left_alone(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ann's e-mail changes while the model is read: she is not removed by her old address."""
    rows, moved = people("ann", "bo", "cy"), people("ann", "bo", "cy")
    rows[0]["updated_at"] = 2
    moved[0] |= {"updated_at": 2, "email": "ann@new.example"}
    collect = complete_rows._collect_compared

    def change_then(*arguments: Any) -> int:
        become(members, moved)
        return collect(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(complete_rows, "_collect_compared", change_then)
        assert day(members, rows) == (0, {})
    assert day(members, moved) == (1, {Outcome.APPLIED: 1, Outcome.REPLACED: 1})
    assert members.emails() == ["ann@new.example", "bo@example.com", "cy@example.com"]


def test_a_value_of_a_row_that_was_not_compared_is_not_cleared(members: World) -> None:
    """Another model has no name for Ann any more, and this one still has."""
    rows = people("ann", "bo", "cy")
    settings = {"surface": "profiles", "identifiers": {"email": "email"}, "on_null": "clear"}
    members.model("names", "select email, first_name from names", **settings)
    columns = "email VARCHAR, first_name VARCHAR"
    members.people([{"email": "ann@example.com", "first_name": "Ann"}], "names", columns)
    members.run()
    members.people([{"email": "ann@example.com", "first_name": None}], "names", columns)
    become(members, rows)
    result = members.run()
    comparisons = [model_plan.comparison for model_plan in result.plan.models]
    assert [entry.compared_rows for entry in comparisons if entry] == [0]
    assert first_names(members)[0] == "Ann"


def test_a_plan_of_all_rows_says_how_many_were_compared(members: World) -> None:
    plan = members.plan(options=PlanOptions(full_comparison=True))
    comparison = plan_document(plan, show_values=False)["models"][0]["comparison"]
    assert (comparison["full"], comparison["compared_rows"]) == (True, 3)


def change_after_first_run(world: World) -> None:
    """Settle a full comparison; then let rows change, be new, be refused, leave and be touched."""
    model(world)
    become(world, [*people("ann", "bo", "cy", "dov"), person("eve", email="eve@example.c1")])
    world.run()
    rows = people("ann", "bo", "cy", "fay", updated_at=2)
    rows[0]["first_name"] = "Anne"
    rows[2]["updated_at"] = 1
    become(world, [*rows, person("eve", email="eva@example.c1", updated_at=2)])


def check_death(world: World, nth: int, names: tuple[str, ...] = ("execute", "fetch")) -> bool:
    """Kill a run at a statement, and return whether it came to that; the next run ends its work."""
    change_after_first_run(world)
    died = run_until_killed(world, nth, DuckDB, *names)
    world.sandbox.finish_jobs()
    world.run()
    assert first_names(world) == ["Anne", "Bo", "Cy", "Fay"]
    writes = len(world.writes())
    assert only_list(world.run()).list_plan.unchanged == 4
    assert len(world.writes()) == writes
    world.wait(7 * DAY)
    result = world.run()
    assert (compared(result), only_list(result).outcomes) == (None, {})
    return died


@pytest.mark.parametrize("nth", [35, 65])
def test_a_run_may_be_killed_between_statements(world: World, nth: int) -> None:
    assert check_death(world, nth)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_run_may_be_killed_between_any_two_statements(make_world: Callable[..., World]) -> None:
    nth = 1
    while check_death(make_world(f"death_{nth}"), nth):
        nth += 1
    assert nth > 65


def test_rows_that_others_changed_are_compared(members: World) -> None:
    """A row that `reconcile` found missing, and a member that `adopt` made a row."""
    rows = people("ann", "bo", "cy")
    members.take_off_list("ann@example.com")
    members.put_on_list(members.list_id(), members.new_profile(email="dov@example.com"))
    members.wait(600.0)
    members.project().reconcile(resend=True)
    assert day(members, rows) == (1, {Outcome.APPLIED: 1})
    members.project().adopt(["members"])
    assert day(members, [*rows, person("dov")]) == (1, {Outcome.APPLIED: 1})
    assert first_names(members) == ["Ann", "Bo", "Cy", "Dov"]


def test_a_renamed_model_goes_on_by_updated_at_and_a_merged_one_is_compared_in_full(
    members: World,
) -> None:
    rows = people("ann", "bo", "cy")
    for name in ("vips", "guests"):
        (old,) = (members.folder / "models").glob("*.sql")
        old.rename(old.with_name(f"{name}.sql"))
        if name == "guests":
            day(members, rows)
        members.project().state_changes.rename(old.stem, name)
        assert day(members, rows)[0] == (0 if name == "vips" else None)
    assert members.state("SELECT model FROM comparisons") == [("guests",)]


def test_a_number_that_is_not_exact_is_refused(members: World) -> None:
    """It has more than one text."""
    model(members, SELECT.replace(" updated_at", " cast(updated_at as double) as updated_at"))
    with pytest.raises(ModelError, match="updated_at of updated_at is of type DOUBLE") as caught:
        members.plan()
    assert caught.value.problems[0].where.endswith("members.sql")


def test_people_who_are_to_be_deleted_are_withheld_in_rows_that_are_compared(members: World) -> None:
    """Also while a guard stops the deletion itself."""
    members.model("deletions", "select email from gone", surface="profile_deletions")
    members.people([{"email": "ann@example.com"}], "gone")
    rows = people("ann", "bo", "cy", updated_at=2)
    rows[0]["first_name"], rows[1]["first_name"] = "Anne", "Bob"
    become(members, rows)
    result = members.run()
    plans = {list_result.model: list_result for list_result in result.lists}
    assert (plans["members"].outcomes, plans["members"].list_plan.withheld) == ({Outcome.APPLIED: 1}, 1)
    assert first_names(members) == ["Ann", "Bob", "Cy"]


def test_a_model_that_was_skipped_goes_on_by_updated_at(members: World) -> None:
    """A comparison by updated_at does not let a model be skipped, and a skipped one keeps its comparison."""
    members.profile(skip_unchanged=True)
    for _ in range(2):
        assert not members.run().plan.models[0].is_skipped
    members.wait(7 * DAY)
    assert compared(members.run()) is None
    assert members.run().plan.models[0].is_skipped
    assert day(members, people("ann", "bo", "cy", updated_at=2)) == (3, {})


def test_a_full_comparison_that_was_asked_for_lets_a_model_be_skipped(members: World) -> None:
    """Until something changes: what updated_at shows of that proves less, and `plan` says so."""
    members.profile(skip_unchanged=True)
    members.run()
    assert "no full comparison" in members.run().plan.models[0].read_reason
    assert compared(members.run(options=PlanOptions(full_comparison=True))) is None
    assert members.run().plan.models[0].is_skipped
    assert day(members, people("ann", "bo", updated_at=2)) == (2, {Outcome.REMOVED: 1})
    for _ in range(2):
        assert "one by updated_at proves less" in members.run().plan.models[0].read_reason
    members.sql("UPDATE people SET first_name = 'Hidden' WHERE email = 'bo@example.com'")
    assert only_list(members.run(options=PlanOptions(full_comparison=True))).outcomes == {Outcome.APPLIED: 1}
    assert not members.run(options=PlanOptions(full_comparison=True)).plan.models[0].is_skipped
    assert members.run().plan.models[0].is_skipped
