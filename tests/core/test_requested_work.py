"""A full refresh, a retry and a resend stay asked for until they are done.

Across kills, limits and refusals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, many, members_model, moves, people
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World

FULL_REFRESH = PlanOptions(full_refresh=True)
ROWS = 3


def send_three(world: World) -> None:
    members_model(world)
    moves(world, people("ann", "bob", "cat"))


@pytest.fixture
def members(prepare_world: PrepareWorld) -> World:
    """Make a world whose model of one list has sent three people."""
    return prepare_world(send_three)


def outcomes(world: World) -> dict[Outcome, int]:
    """Run, and return what came of the only list's rows."""
    return dict(only_list(world.run()).outcomes)


def quiet(world: World) -> bool:
    """Run once more, and return whether it sent nothing."""
    before = len(world.writes())
    world.run()
    return len(world.writes()) == before


@pytest.mark.parametrize("event", ["SendProgress", "JobProgress", "ListDone"])
def test_a_killed_full_refresh_is_finished_by_the_next_run(members: World, event: str) -> None:
    """Each row was sent again in the end, by one run or the other."""
    sent_before = len(members.writes())
    died = members.dies(lambda told: type(told).__name__ == event, options=FULL_REFRESH)
    members.calm()
    applied = outcomes(members).get(Outcome.APPLIED, 0)
    assert len(members.writes()) > sent_before
    assert died
    assert applied in {0, ROWS}, "what the killed run sent may be proved by its own job"
    assert quiet(members)


def test_a_full_refresh_within_a_limit_goes_on_in_the_next_run(members: World) -> None:
    """The next run needs no flag."""
    result = members.run(options=PlanOptions(full_refresh=True, limit=1))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.NOT_SENT: 2}
    assert outcomes(members) == {Outcome.APPLIED: 2}
    assert quiet(members)


@pytest.mark.parametrize("status", [503, 403, 400])
def test_a_full_refresh_whose_requests_failed_goes_on_in_the_next_run(members: World, status: int) -> None:
    """No row was sent: the next run sends all of them."""
    path = "/api/profile-bulk-import-jobs"
    members.fault(Fault(FaultKind.STATUS, method="POST", path=path, status=status, times=None))
    assert only_list(members.run(options=FULL_REFRESH)).outcomes.get(Outcome.APPLIED, 0) == 0
    members.calm()
    assert outcomes(members) == {Outcome.APPLIED: ROWS}
    assert quiet(members)


def test_a_row_that_leaves_during_a_full_refresh_is_removed(members: World) -> None:
    """A row that is still to be sent again does not keep its person on the list."""
    members.run(options=PlanOptions(full_refresh=True, limit=1))
    become(members, people("ann", "bob"))
    assert outcomes(members)[Outcome.REMOVED] == 1
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    assert quiet(members)


def refuse_ann(members: World) -> None:
    """Let a full refresh refuse one of three rows."""
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    result = members.run(options=FULL_REFRESH)
    assert only_list(result).outcomes == {Outcome.APPLIED: 2, Outcome.REJECTED: 1}
    members.calm()


def test_a_row_that_a_full_refresh_refused_is_sent_again_after_a_retry(members: World) -> None:
    """It equals the row applied before, and is sent even so: the full refresh asked for it."""
    refuse_ann(members)
    assert quiet(members), "a refused row stays rejected"
    assert members.project().retry() == {"members": 1}
    assert outcomes(members) == {Outcome.APPLIED: 1}
    assert quiet(members)


@pytest.mark.parametrize("event", ["SendProgress", "JobProgress"])
def test_a_retry_stays_asked_for_if_the_next_run_is_killed(members: World, event: str) -> None:
    """The run after that sends the row, or finds it applied."""
    refuse_ann(members)
    members.project().retry()
    members.dies(lambda told: type(told).__name__ == event)
    members.calm()
    assert outcomes(members).get(Outcome.APPLIED, 0) <= 1
    ((key,),) = members.state("SELECT table_key FROM models")
    assert members.state(f"SELECT retl_identity FROM deltas_{key}") == []
    assert quiet(members)


def test_a_retried_row_that_is_refused_again_can_be_retried_again(members: World) -> None:
    """A refusal ends what was asked for, until the next retry."""
    refuse_ann(members)
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    members.project().retry()
    assert outcomes(members) == {Outcome.REJECTED: 1}
    members.calm()
    assert quiet(members)
    assert members.project().retry() == {"members": 1}
    assert outcomes(members) == {Outcome.APPLIED: 1}


def test_a_retry_within_a_limit_goes_on_in_the_next_run(world: World) -> None:
    """Rows that were retried and not sent are sent by the run after that."""
    members_model(world)
    become(world, many(5))
    world.fault(Fault(FaultKind.REFUSE_ROWS, pattern="p000[0-3]"))
    assert only_list(world.run()).outcomes == {Outcome.REJECTED: 4, Outcome.APPLIED: 1}
    world.calm()
    assert world.project().retry() == {"members": 4}
    assert only_list(world.run(options=PlanOptions(limit=1))).outcomes[Outcome.APPLIED] == 1
    assert outcomes(world) == {Outcome.APPLIED: 3}


@pytest.mark.parametrize("ending", ["killed", "limited", "refused"])
def test_a_resend_stays_asked_for_until_the_members_are_back(members: World, ending: str) -> None:
    """Members who were removed by hand are added again, whatever becomes of the next run."""
    for name in ("ann", "bob"):
        members.take_off_list(f"{name}@example.com")
    (difference,) = members.project().reconcile(resend=True)
    assert difference.missing == len(("ann", "bob"))
    match ending:
        case "killed":
            members.dies(lambda told: type(told).__name__ == "SendProgress")
        case "limited":
            members.run(options=PlanOptions(limit=1))
        case "refused":
            members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob"))
            members.run()
            members.calm()
            members.project().retry()
    members.calm()
    members.run()
    assert members.emails() == ["ann@example.com", "bob@example.com", "cat@example.com"]
    assert quiet(members)
