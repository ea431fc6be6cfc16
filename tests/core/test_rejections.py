"""Rules: row or request; rejected rows; what is proved of them. A row's fault stops only the row."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, many, members_model, people, person, send_two
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from tests.core.world import PrepareWorld, World


BAD = "refused@example.c1"  # passes our checks; the stand-in takes no such domain


def only_the_repetition_refuses_ann(members: World, kind: FaultKind) -> None:
    """Let the reply to an import be lost that is carried out, and its repetition be refused for Ann."""
    draws = {seed: [Random(f"{seed}:{n}").random() < 0.5 for n in (1, 2)] for seed in range(99)}  # noqa: S311 - as the sandbox
    second = next(seed for seed, strikes in draws.items() if strikes == [False, True])
    become(members, people("bob"))
    members.run()
    members.wait(300.0)
    members.fault(
        Fault(FaultKind.CUT, "POST", IMPORTS, after=True),
        Fault(kind, pattern="ann", probability=0.5, seed=second),
    )
    become(members, people("ann", "bob", "cat"))


@pytest.mark.parametrize("kind", [FaultKind.REFUSE_ROWS, FaultKind.INVALID_ROWS])
def test_a_row_that_only_the_repetition_refused_may_have_been_applied(
    members: World, kind: FaultKind
) -> None:
    """The first try was carried out and its reply lost; the second was refused for Ann, who is on the list.

    She is unknown, and not rejected: forgotten now, she would stay on the list when she leaves.
    """
    only_the_repetition_refuses_ann(members, kind)
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 1, Outcome.UNKNOWN: 1}
    members.wait(300.0)
    members.calm()
    assert members.emails() == ["ann@example.com", "bob@example.com", "cat@example.com"]
    become(members, people("bob", "cat"))
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["bob@example.com", "cat@example.com"]


@pytest.mark.parametrize("stays", [False, True])
def test_a_row_refused_only_by_a_killed_runs_repetition_may_have_been_applied(
    members: World, stays: bool
) -> None:
    """The receipt says that the job may have a duplicate: Ann is sent again, or removed like any row."""
    only_the_repetition_refuses_ann(members, FaultKind.REFUSE_ROWS)
    assert members.dies(lambda event: isinstance(event, JobProgress))
    members.wait(300.0)
    members.calm()
    assert members.emails() == ["ann@example.com", "bob@example.com", "cat@example.com"]
    become(members, people(*(["ann"] if stays else []), "bob", "cat"))
    assert only_list(members.run()).outcomes == ({Outcome.APPLIED: 1} if stays else {Outcome.REMOVED: 1})
    assert members.emails() == [*(["ann@example.com"] if stays else []), "bob@example.com", "cat@example.com"]


def test_a_row_refused_in_a_killed_runs_only_import_is_rejected(members: World) -> None:
    """It comes to rest: a bad row is not sent again in every run, though each import outlasts its run."""
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann", times=None))
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, JobProgress))
    before = len(members.writes())
    result = members.run()
    assert [(r.reason.code, r.rows) for r in only_list(result).list_plan.check_rejections] == [
        ("still_rejected", 1)
    ]
    assert len(members.writes()) == before


def test_a_refused_row_does_not_stop_the_others(members: World) -> None:
    """Klaviyo refuses a request whole for one bad row: the row is taken out, and the rest is sent again."""
    become(members, [*people("ann", "bob"), person("bad", email=BAD)])
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 2, Outcome.REJECTED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    assert result.exit_code == 1
    query = "SELECT row_key, source, code, field FROM rejections"
    assert members.state(query) == [(f"email:{BAD}", "klaviyo", "invalid", "email")]


def test_a_rejected_row_is_not_sent_again(members: World) -> None:
    """Nothing changed, so nothing is sent; an older rejection only warns, unless it is asked to count."""
    become(members, [*people("ann"), person("bad", email=BAD)])
    members.run()
    before = len(members.writes())
    result = members.run()
    assert len(members.writes()) == before
    assert only_list(result).list_plan.rejected_by_check == 1
    assert result.exit_code == 0
    assert members.run(strict=True).exit_code == 1


def test_a_rejection_ends_when_its_row_its_model_or_its_config_changes_or_by_retry(world: World) -> None:
    """A rejection that never ended would be forgotten; one that ended by itself would return every night."""
    names = ("new_row", "new_model", "new_config", "retried", "same")

    def write(name: str, condition: str = "", **config: Any) -> None:
        select = f"select email, first_name from t_{name} {condition}"
        world.model(name, select, list=name, identifiers={"email": "email"}, **config)

    def fill(name: str, first_name: str) -> None:
        world.people([person(f"ann-{name}"), person(f"bad-{name}", first_name=first_name)], f"t_{name}")

    for name in names:
        write(name)
        fill(name, "Bad")
    world.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bad", times=len(names)))
    for listed in world.run().lists:
        assert listed.outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}, listed.model
    fill("new_row", "Good")
    write("new_model", "where true")
    write("new_config", max_removes=0.2)
    assert world.project().retry(["retried"]) == {"retried": 1}
    result = world.run()
    for name in names[:-1]:
        assert only_list(result, name).outcomes == {Outcome.APPLIED: 1}, name
        assert world.emails(name) == [f"ann-{name}@example.com", f"bad-{name}@example.com"]
    assert only_list(result, "same").outcomes == {}
    assert world.state("SELECT model FROM rejections") == [("same",)]


def test_a_rejection_ends_when_its_row_leaves(members: World) -> None:
    become(members, [*people("ann"), person("bad", email=BAD)])
    members.run()
    become(members, people("ann"))
    assert members.run(strict=True).exit_code == 0
    assert members.state("SELECT * FROM rejections") == []


def test_a_rejected_update_keeps_what_klaviyo_has(prepare_world: PrepareWorld) -> None:
    """Ann's new name is refused; she stays as she was, and her name is sent when it changes again."""
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    become(members, [person("ann", first_name="A"), person("bob")])
    assert only_list(members.run()).outcomes == {Outcome.REJECTED: 1}
    assert members.person("ann@example.com")["first_name"] == "Ann"
    result = members.run()
    assert (
        only_list(result).list_plan.held_at_plan,
        only_list(result).list_plan.removes,
        result.exit_code,
    ) == (0, 0, 0)
    become(members, [person("ann", first_name="Anna"), person("bob")])
    members.run()
    assert members.person("ann@example.com")["first_name"] == "Anna"


def test_a_request_that_is_refused_as_a_whole_rejects_nobody(world: World) -> None:
    members_model(world)
    world.model("others", "select email from people", list="Others")
    become(world, people("ann", "bob"))
    world.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=400, times=3))  # both rows, then each alone
    result = world.run()
    assert only_list(result, "members").outcomes == {Outcome.NOT_SENT: 2}
    assert only_list(result, "members").stop_reason
    assert only_list(result, "others").outcomes == {Outcome.APPLIED: 2}
    assert result.exit_code == 4
    assert world.state("SELECT * FROM rejections") == []
    assert only_list(world.run(), "members").outcomes == {Outcome.APPLIED: 2}


def test_one_list_of_a_model_stops_and_the_others_go_on(world: World) -> None:
    clubs_model(world)
    become(world, [person("ann", club="Cake"), person("bob", club="Tea")])
    world.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=401))
    result = world.run()
    assert [listed.outcomes for listed in result.lists] == [{Outcome.NOT_SENT: 1}, {Outcome.APPLIED: 1}]
    world.run()
    assert (world.emails("Cake"), world.emails("Tea")) == (["ann@example.com"], ["bob@example.com"])


def test_many_refusals_for_one_reason_stop_the_list_and_reject_no_row(members: World) -> None:
    """A wrong column under `email` would reject 100,000 rows one by one.

    Instead the list stops, and no rejection is stored.
    """
    rows = [*many(100), *[person(f"bad{n}", email=f"bad{n}@example.c1") for n in range(101)]]
    become(members, rows)
    result = members.run()
    assert only_list(result).outcomes == {Outcome.NOT_SENT: 201}
    assert "101 of 201 rows" in only_list(result).stop_reason
    assert members.state("SELECT * FROM rejections") == []
    assert members.state("SELECT count(*) FROM runs WHERE state = 'ended'") == [(1,)]


def test_many_refusals_in_the_job_stop_the_list_too(members: World) -> None:
    """The same when the request was taken and the job names the rows.

    The others are applied, these are sent again.
    """
    become(members, many(150))
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="p0(0[0-9][0-9]|10[0-4])"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 45, Outcome.NOT_SENT: 105}
    assert members.state("SELECT * FROM rejections") == []
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 105}


@pytest.mark.parametrize("kind", [FaultKind.REFUSE_ROWS, FaultKind.INVALID_ROWS])
def test_a_small_list_of_which_every_row_is_refused_stops_and_rejects_no_row(
    members: World, kind: FaultKind
) -> None:
    """Three of three rows fail alike: the cause is not in the rows, which each run sends again."""
    become(members, people("ann", "bob", "cat"))
    members.fault(Fault(kind, pattern=".*", times=2))
    for _ in range(2):
        result = members.run()
        assert only_list(result).outcomes == {Outcome.NOT_SENT: 3}
        assert "all 3 rows" in only_list(result).stop_reason
        assert result.exit_code == 4
        assert members.state("SELECT * FROM rejections") == []
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 3}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(people("ann", "bob"), id="two"),
        pytest.param(people("ann", "bob", "cat", "dan"), id="not-all"),
    ],
)
def test_few_refused_rows_are_rejected(members: World, rows: list[dict[str, Any]]) -> None:
    become(members, rows)
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann|bob|cat", times=1))
    assert only_list(members.run()).outcomes[Outcome.REJECTED] == min(len(rows), 3)


def test_changed_rows_refused_alike_are_rejected_if_others_of_the_list_are_accepted(
    members: World,
) -> None:
    become(members, people("ann", "bob", "cat", "dan"))
    members.run()
    become(members, [*people("ann", "bob", "cat", first_name="New"), person("dan")])
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern=".*", times=1))
    assert only_list(members.run()).outcomes == {Outcome.REJECTED: 3}


def test_bad_rows_reported_one_at_a_time_are_bisected(make_world: Callable[..., World]) -> None:
    """If Klaviyo names one bad row a reply, five rounds are enough of that: then the batch is halved."""
    world = make_world(errors_per_reply=1)
    members_model(world)
    become(world, [*many(40), *[person(f"bad{n}", email=f"bad{n}@example.c1") for n in range(9)]])
    result = world.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 40, Outcome.REJECTED: 9}
    assert len(world.members()) == 40


def test_a_row_that_cannot_be_written_as_json_is_rejected_before_it_is_sent(world: World) -> None:
    """NaN has no form in JSON: once it broke the body, and with it every row of the request."""
    world.model("members", "select email, score from people", identifiers={"email": "email"})
    world.people(
        [{"email": "ann@example.com", "score": float("nan")}, {"email": "bob@example.com", "score": 1.5}],
        columns="email VARCHAR, score DOUBLE",
    )
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert world.emails() == ["bob@example.com"]
    assert world.state("SELECT code, field FROM rejections") == [("unencodable", "score")]


@pytest.mark.parametrize("payload", ["attributes", "resource"])
def test_an_error_of_a_job_is_matched_to_its_row_by_the_sent_identifiers(
    members: World, payload: Literal["attributes", "resource"]
) -> None:
    """An error names its row by the identifiers in it, never by its place."""
    become(members, people("ann", "bob", "cat"))
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob", payload=payload, code="conflict"))
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 2, Outcome.REJECTED: 1}
    assert members.state("SELECT row_key, code FROM rejections") == [("email:bob@example.com", "conflict")]


@pytest.mark.parametrize(
    "fault", [Fault(FaultKind.REFUSE_ROWS, pattern="bob", payload="none"), Fault(FaultKind.MISCOUNT, rows=1)]
)
def test_job_failures_without_an_identifier_leave_every_row_unknown(members: World, fault: Fault) -> None:
    """One of three failed, and nobody can say which: none is called applied, and all are sent again."""
    become(members, people("ann", "bob", "cat"))
    members.fault(fault)
    result = members.run()
    assert only_list(result).outcomes == {Outcome.UNKNOWN: 3}
    assert result.exit_code == 1
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 3}
    assert len(members.emails()) == 3


def test_a_cancelled_job_proves_nothing(members: World) -> None:
    """One of its rows was applied before; which one is not said. All are sent again."""
    become(members, people("ann", "bob", "cat"))
    members.fault(Fault(FaultKind.CANCEL, rows=1))
    assert only_list(members.run()).outcomes == {Outcome.UNKNOWN: 3}
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 3}


def test_accepted_is_not_applied(make_world: Callable[..., World]) -> None:
    """A job that does not end in time leaves its rows accepted.

    Not in the snapshot, not sent again, settled by the next run.
    """
    world = make_world(job_seconds=7200.0)
    world.profile(job_timeout_minutes=1)
    members_model(world)
    become(world, people("ann", "bob"))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.ACCEPTED: 2}
    assert result.exit_code == 1
    world.sandbox.finish_jobs()
    before = len(world.writes())
    result = world.run()
    assert only_list(result).list_plan.unchanged == 2
    assert len(world.writes()) == before


def test_a_person_has_one_unfinished_import_at_a_time(make_world: Callable[..., World]) -> None:
    """The job of one list has not ended. Another list waits, since a person may be in both."""
    world = make_world(job_seconds=7200.0)
    world.profile(job_timeout_minutes=1)
    for club in ("Coffee", "Tea"):
        world.model(
            club.lower(), "select email, customer_id from people", list=club, identifiers={"email": "email"}
        )
    become(world, people("ann"))
    first, second = world.run().lists
    assert (first.outcomes, first.failed) == ({Outcome.ACCEPTED: 1}, False)
    assert (second.outcomes, second.failed) == ({Outcome.NOT_SENT: 1}, False)
    assert "one at a time" in second.stop_reason
    world.sandbox.finish_jobs()
    assert [listed.list_plan.unchanged for listed in world.run().lists] == [1, 0]


def test_every_page_of_a_jobs_errors_is_read(members: World) -> None:
    """One tool reads the first page of errors alone; here 105 rows of 2,000 fail, on two pages."""
    become(members, many(2_000))
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="p0(0[0-9][0-9]|10[0-4])"))
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 1_895, Outcome.REJECTED: 105}
