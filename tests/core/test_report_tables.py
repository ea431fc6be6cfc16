"""The tables of a report: rejections, names of lists, rows not found, and what long tables leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.report.gather import MAX_PREVIOUS_RUNS, MAX_RECEIPTS, MAX_REMOVALS_NOT_FOUND
from reverse_etl.report.page import render_page
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, members_model, people, person
from tests.core.test_report import LONG_AGO, report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reverse_etl.report.facts import Report
    from reverse_etl.state.tables import StateTables
    from tests.core.world import World


def test_rejections_count_those_that_the_run_saw_first(members: World) -> None:
    """By checks and by Klaviyo; a report of an older run shows the current ones, and says so."""
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="cat", times=None))
    become(members, [*people("ann", "cat"), person("bad", email="bad")])
    first = members.run()
    become(members, [*people("ann", "cat"), person("bad", email="bad"), person("worse", email="worse")])
    second = members.run()
    told = report(members)
    rejections = {
        (each.rejected.reason.source, each.label.name): (
            each.rejected.rows,
            each.rejected.new_rows,
            each.rejected.example,
        )
        for each in told.rejections
    }
    assert rejections == {
        ("check", "Members"): (2, 1, "email:bad"),
        ("klaviyo", "Members"): (1, 0, "email:cat@example.com"),
    }
    assert told.rejections_match_run
    assert sum(each.rejected.rows for each in told.rejections) == told.sum_counts(
        "rejected_by_check", "rejected_by_klaviyo"
    )
    first_rejections = report(members, first.run_id).rejections
    assert {each.rejected.reason.source: each.rejected.new_rows for each in first_rejections} == {
        "check": 1,
        "klaviyo": 1,
    }
    members.calm()
    become(members, people("ann"))
    members.run(allow_removes=["members"])
    before = report(members, second.run_id)
    assert (before.rejections, before.rejections_match_run) == ((), False)
    assert before.sum_counts("rejected_by_check", "rejected_by_klaviyo") == 3
    assert "No row is rejected now." in render_page(before)


def test_rejections_of_models_that_the_run_did_not_touch_are_left_out(world: World) -> None:
    members_model(world)
    world.model("others", "select email from people", list="Others")
    become(world, [*people("ann"), person("bad", email="bad")])
    world.run()
    assert {each.label.model for each in report(world).rejections} == {"members", "others"}
    world.run(select=["others"])
    assert {each.label.model for each in report(world).rejections} == {"others"}


def test_rows_without_a_list_are_not_labelled_profiles(world: World) -> None:
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club=None)])
    world.run()
    told = report(world)
    assert [listed.label.text for listed in told.lists] == ["(no list)", "Tea"]
    assert [each.label.text for each in told.rejections] == ["(no list)"]


def names(told: Report) -> set[str]:
    """Return the names of lists in a report."""
    return {listed.label.name for listed in told.lists} | {proof.label.name for proof in told.proofs}


def test_a_list_has_the_name_that_it_had_then(members: World) -> None:
    become(members, people("ann"))
    first = members.run()
    listed = {"type": "list", "id": members.list_id(), "attributes": {"name": "Renamed"}}
    members.by_hand("PATCH", f"/api/lists/{listed['id']}", {"data": listed})
    members_model(members, list="Renamed")
    become(members, people("ann", "bob"))
    members.run()
    assert names(report(members)) == {"Renamed"}
    assert names(report(members, first.run_id)) == {"Members"}


def test_rows_that_were_not_found_are_named(members: World) -> None:
    """Bob was removed manually before: he belongs to this run, and not to the one before or the next."""
    become(members, people("ann", "bob"))
    first = members.run()
    members.take_off_list("bob@example.com")
    become(members, people("ann"))
    members.run()
    told = report(members)
    assert (told.removal_not_found_count, told.sum_counts("not_found")) == (1, 1)
    assert [(each.label.name, each.identity) for each in told.removals_not_found] == [
        ("Members", "email:bob@example.com")
    ]
    members.run()
    assert report(members).removal_not_found_count == 0
    assert report(members, first.run_id).removal_not_found_count == 0


def test_long_tables_show_the_first_rows_and_count_the_rest(members: World) -> None:
    """Receipts, those not applied before the others; those who were not found; and runs."""
    become(members, people("ann"))
    run_id = members.run().run_id
    project = members.project()
    with project.connections.warehouse(read_only=False) as warehouse:
        kept = project.connections.state(warehouse, None).tables
        rows = [
            (run_id, "members", "L1", "add", nth, nth, 7, state, f"j{nth}", LONG_AGO, "", False)
            for nth, state in enumerate(["applied"] * 59 + ["unknown"], 1)
        ]
        fill(kept, "receipts", rows)
        key = (*kept.scope.key, "members", "L1")
        fill(
            kept,
            "unmatched_removals",
            [(*key, f"email:p{nth:02}@example.com", run_id, LONG_AGO) for nth in range(60)],
        )
        runs = [
            (f"r{nth}", *kept.scope.key, "ended", f"2020-01-01T00:00:{nth:02}.000Z", "", LONG_AGO, 0)
            for nth in range(40)
        ]
        fill(kept, "runs", runs)
    told = report(members)
    (many,) = [proof for proof in told.proofs if proof.label.list_id == "L1"]
    assert (many.receipt_count, len(many.shown_receipts), many.hidden_receipt_count) == (60, MAX_RECEIPTS, 35)
    assert many.rows_by_state == {"applied": 59 * 7, "unknown": 7}
    assert [sent.job_id for sent in many.shown_receipts[:3]] == ["j60", "j1", "j2"]
    assert (told.removal_not_found_count, len(told.removals_not_found)) == (60, MAX_REMOVALS_NOT_FOUND)
    assert (told.previous_run_count, len(told.previous_runs), told.previous_runs[0].run.run_id) == (
        40,
        MAX_PREVIOUS_RUNS,
        "r39",
    )


def fill(kept: StateTables, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows into a table of the state."""
    kept.execute(*kept.insert(table, rows))


def test_the_notes_are_those_of_status(world: World) -> None:
    """Today's: a list that its model no longer controls, and a model that is gone."""
    members_model(world)
    world.model("others", "select email from people", list="Others")
    become(world, people("ann"))
    world.run()
    world.drop_model("others")
    members_model(world, list="New members")
    world.run()
    status = world.project().status()
    assert report(world).notes == tuple(listed.note for listed in status.lists if listed.note)
    assert len(report(world).notes) == 2
