"""The facts of a report: what is remembered of a run of every kind, and that nothing changes by asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.results import collect_figures
from reverse_etl.domain.progress import JobProgress
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.report import status
from reverse_etl.report.masking import mask_report
from reverse_etl.report.page import render_page
from reverse_etl.report.status import Status, load_status
from reverse_etl.report.wording import Severity, summarize_run
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.tables import StateTables
from tests.core.rows import become, clubs_model, members_model, people, person, send_one
from tests.core.test_dry_run import files, tables
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reverse_etl.report.facts import Report
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import PrepareWorld, World

LONG_AGO = "2020-01-01T00:01:00.000Z"


def report(world: World, run_id: str | None = None) -> Report:
    """Return the report of a run, the newest by default; its page can be made."""
    made = world.project().report(run_id)
    assert render_page(mask_report(made)).startswith("<!doctype html>")
    return made


def test_a_report_has_the_counts_of_the_run(world: World) -> None:
    members_model(world)
    clubs_model(world)
    world.model("everybody", "select email, first_name from people", surface="profiles")
    rows = people("ann", "bob", "cat", club="Tea")
    become(world, [*rows, person("bad", email="bad", club="Tea")])
    world.run()
    become(world, [*rows[:2], person("bad", email="bad", club="Tea"), person("dan", club="Coffee")])
    result = world.run(allow_removes=["members", "clubs", "everybody"])
    told = report(world)
    assert {
        (listed.label.model, listed.label.text): (listed.counts, listed.reason) for listed in told.lists
    } == {
        (listed.model, listed.list_plan.list_ref.name or "(profiles)"): (collect_figures(listed), "")
        for listed in result.lists
    }
    assert (told.run.run_id, told.run.exit_code, told.run.state) == (result.run_id, 0, "ended")
    assert (told.project, told.target, told.account) == ("shop", "trial", world.sandbox.account_id)
    assert told.sum_counts("removed", "left_in_place") == 3
    assert (
        told.later_run_count,
        told.previous_run_count,
        [len(former.lists) for former in told.previous_runs],
    ) == (0, 1, [3])
    assert told.previous_runs[0].sum_counts("applied") == 9


def test_the_proof_adds_up_to_what_was_sent(members: World) -> None:
    """By list and kind: an import's receipt names its job, a removal's has none."""
    become(members, people("ann", "bob", "cat"))
    members.run()
    become(members, people("ann", "dan", "eve"))
    result = members.run()
    add, remove = report(members).proofs
    assert (add.op, add.receipt_count, add.rows_by_state, add.hidden_receipt_count) == (
        "add",
        1,
        {"applied": 2},
        0,
    )
    assert (remove.op, remove.receipt_count, remove.rows_by_state) == ("remove", 1, {"applied": 2})
    assert add.label.name == remove.label.name == "Members"
    ((job,),) = members.state(f"SELECT job_id FROM receipts WHERE op = 'add' AND run_id = '{result.run_id}'")
    assert [
        (sent.job_id, sent.rows, sent.state) for sent in (*add.shown_receipts, *remove.shown_receipts)
    ] == [
        (job, 2, "applied"),
        (None, 2, "applied"),
    ]
    assert job


def test_an_older_run_is_reported_as_it_was(members: World) -> None:
    become(members, people("ann"))
    first = members.run()
    become(members, people("ann", "bob"))
    second = members.run()
    members.run()
    told = report(members, second.run_id)
    assert (told.run.run_id, told.later_run_count, told.previous_run_count) == (second.run_id, 1, 1)
    assert [former.run.run_id for former in told.previous_runs] == [first.run_id]
    assert told.lists[0].counts == collect_figures(only_list(second))


def test_a_run_that_changed_nothing_has_no_receipt(prepare_world: PrepareWorld) -> None:
    members = prepare_world(send_one)
    members.run()
    told = report(members)
    assert told.proofs == ()
    assert summarize_run(told).headline == "Nothing changed, so nothing was sent."
    assert summarize_run(told).severity is Severity.OK


def test_a_refused_run_says_why_and_has_no_lists(members: World) -> None:
    """Rejections from before stay, and are not reported as this run's."""
    become(members, [*people("ann", "bob"), person("bad", email="bad")])
    members.run()
    become(members, [])
    with pytest.raises(GuardRefused):
        members.run()
    told = report(members)
    (why,) = told.refusal_reasons
    assert why.startswith(
        "The model returned 0 rows; min_rows is 1. 2 rows were sent before. Nothing was sent. At "
    )
    assert (told.run.state, told.run.exit_code, told.lists, told.proofs) == ("refused", 3, (), ())
    assert [(each.rejected.rows, each.rejected.new_rows) for each in told.rejections] == [(1, 0)]
    assert not told.rejections_match_run
    assert report(members, told.previous_runs[0].run.run_id).rejections_match_run


def test_a_killed_run_shows_what_was_sent_and_later_the_outcomes(members: World) -> None:
    """Its counts are not kept, since it never came to its end."""
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, JobProgress))
    told = report(members)
    assert (told.run.state, told.run.exit_code, told.run.ended_at, told.lists) == (
        "submitting",
        None,
        None,
        (),
    )
    assert [(proof.label.name, proof.rows_by_state) for proof in told.proofs] == [
        ("Members", {"accepted": 2})
    ]
    summary = summarize_run(told)
    assert summary.headline == "This run has not finished."
    assert "Rows of this run: 2 accepted by Klaviyo and not confirmed yet." in summary.details
    members.calm()
    members.run()
    later = report(members, told.run.run_id)
    assert (later.run.state, later.later_run_count) == ("recovered", 1)
    assert [proof.rows_by_state for proof in later.proofs] == [{"applied": 2}]
    assert summarize_run(later).headline == "This run was interrupted."


def test_a_report_whose_rows_are_all_rejected_is_not_green(world: World) -> None:
    """Also on the days on which no rejection is new and the exit code is 0."""
    members_model(world, min_rows=0)
    become(world, [person("ann", email="refused@example.c1")])
    assert [world.run().exit_code for _ in range(2)] == [1, 0]
    summary = summarize_run(report(world))
    assert (summary.severity, summary.headline) == (Severity.WARNING, "All rows of Members are rejected.")


def test_a_run_with_unfinished_jobs_is_open_until_it_is_settled(
    make_world: Callable[..., World],
) -> None:
    """Its receipt is accepted; the run after it finds out."""
    world = make_world(job_seconds=600.0)
    members_model(world)
    world.profile(job_timeout_minutes=1)
    become(world, people("ann"))
    world.run()
    told = report(world)
    assert (told.run.state, told.lists[0].counts["accepted"]) == ("unsettled", 1)
    assert summarize_run(told).severity is Severity.PENDING
    world.calm()
    world.run()
    later = report(world, told.run.run_id)
    assert later.lists[0].counts["accepted"] == 1
    assert later.proofs[0].rows_by_state == {"applied": 1}


def test_a_stopped_list_says_why_and_does_not_affect_the_others(world: World) -> None:
    """The reason is the run's own, word for word."""
    members_model(world)
    world.model("others", "select email from people", list="Others")
    become(world, people("ann"))
    world.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=400))
    result = world.run()
    told = report(world)
    assert {listed.label.name: listed.reason for listed in told.lists} == {
        listed.list_plan.list_ref.name: listed.stop_reason for listed in result.lists
    }
    assert [bool(listed.reason) for listed in told.lists] == [True, False]
    assert summarize_run(told).headline == "1 of 2 lists stopped early."
    assert [listed.counts["not_sent"] for listed in told.lists] == [1, 0]
    assert {proof.label.name: proof.rows_by_state for proof in told.proofs} == {
        "Members": {"not_sent": 1},
        "Others": {"applied": 1},
    }


def test_a_report_changes_nothing_and_sends_no_request(members: World) -> None:
    become(members, [*people("ann", "bob"), person("bad", email="bad")])
    members.run(options=PlanOptions(limit=1))
    members.profile(private_api_key="")
    members.project()
    before, rows = files(members), tables(members)
    number = max(entry.number for entry in members.sandbox.log())
    told = report(members)
    assert told.sum_counts("deferred") == 1
    assert summarize_run(told).headline == "This run finished, but some rows need attention."
    assert files(members) == before
    assert tables(members) == rows
    assert members.sandbox.log(number) == []


def test_a_report_takes_four_statements_more_than_status_for_any_number_of_lists(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/architecture.md says."""
    fetched: list[Statement] = []
    fetch = StateTables.fetch

    def counted(tables: StateTables, statement: Statement) -> list[tuple[Any, ...]]:
        fetched.append(statement)
        return fetch(tables, statement)

    monkeypatch.setattr(StateTables, "fetch", counted)

    def more() -> int:
        fetched.clear()
        world.project().status()
        of_status = len(fetched)
        fetched.clear()
        world.project().report()
        return len(fetched) - of_status

    members_model(world)
    become(world, people("ann", "bob", club="Tea"))
    world.run()
    assert more() == 4
    clubs_model(world)
    world.run()
    assert more() == 4


def test_the_status_is_read_once_for_the_reports_of_all_runs(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Status] = []

    def load(*arguments: Any) -> Status:
        loaded.append(load_status(*arguments))
        return loaded[-1]

    monkeypatch.setattr(status, "load_status", load)
    become(members, people("ann"))
    ids = [members.run().run_id for _ in range(3)]
    assert [made.run.run_id for made in members.project().reports(2)] == [ids[2], ids[1]]
    assert len(loaded) == 1


@pytest.mark.parametrize("ran", [False, True])
def test_an_unknown_run_is_an_error_that_names_the_known_runs(members: World, ran: bool) -> None:
    """Before the first run there is nothing to report of, whatever is asked for; and no state is made."""
    become(members, people("ann"))
    if not ran:
        for run_id in (None, "nobody"):
            with pytest.raises(UsageError, match=r"There is no run to report yet\."):
                members.project().report(run_id)
        assert not (members.folder / "shop.reverse_etl.duckdb").exists()
        return
    ids = [members.run().run_id for _ in range(7)]
    with pytest.raises(UsageError, match="There is no run 'nobody'") as error:
        members.project().report("nobody")
    assert error.value.problems[0].hint == f"The newest runs are {', '.join(reversed(ids[2:]))}."
    with pytest.raises(UsageError) as error:
        members.project().report(ids[0][:-1])
    assert error.value.problems[0].hint.startswith(f"Did you mean {ids[0]}? ")


def test_a_project_under_a_new_name_hears_why_it_has_no_run(prepare_world: PrepareWorld) -> None:
    members = prepare_world(send_one)
    text = (members.folder / "profiles.yml").read_text()
    (members.folder / "profiles.yml").write_text(text.replace("shop:", "store:", 1))
    with pytest.raises(UsageError) as error:
        members.project().report()
    assert "but rows of shop" in error.value.problems[0].hint
