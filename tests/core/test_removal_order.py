"""Rule: removal. Nobody is removed on half of a change: imports end first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress, SendProgress
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, members_model, people, send_two
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.core.world import PrepareWorld, World


MEMBERS = "/api/lists/*/relationships/profiles"


def test_upserts_come_first_and_removes_last(prepare_world: PrepareWorld) -> None:
    """A person who moves to another identity is added under the new one before the old one is looked up."""
    members = prepare_world(send_two)
    before = len(members.writes())
    become(members, people("bob", "cat"))
    members.run()
    assert [entry.method for entry in members.writes()[before:]] == ["POST", "DELETE"]


def test_nobody_is_removed_from_a_list_whose_import_failed_as_a_request(prepare_world: PrepareWorld) -> None:
    """It stops its list: no removal is made on half of a change."""
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=401, times=None))
    become(members, people("ann", "cat"))
    result = members.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.NOT_SENT: 2}, 4)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    members.calm()
    members.run()
    assert members.emails() == ["ann@example.com", "cat@example.com"]


def test_a_job_with_unknown_rows_blocks_nobody_else(prepare_world: PrepareWorld) -> None:
    """Nor are its rows lost: they are sent again by the next run."""
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.MISCOUNT, rows=1))
    become(members, people("ann", "cat"))
    result = members.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNKNOWN: 1, Outcome.REMOVED: 1}, 1)
    members.calm()
    members.run()
    assert members.emails() == ["ann@example.com", "cat@example.com"]


def by_another_app(world: World) -> None:
    """Begin an import that the job knows nothing of."""
    row = {"type": "profile", "attributes": {"email": "someone@example.com"}}
    job = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": [row]}}}
    world.by_hand("POST", IMPORTS, {"data": job})


def later_by_another_app(world: World, seconds: float) -> Callable[..., Any]:
    """Return what lets another app begin an import so long after ours was sent."""

    def tell(event: Any) -> None:
        if isinstance(event, SendProgress):
            world.wait(seconds)
            by_another_app(world)

    return tell


def test_open_jobs_finish_before_removals_after_a_lost_import_reply(
    make_world: Callable[..., World],
) -> None:
    """A cut reply hides a job that nobody here knows by name.

    It could put somebody back who was just removed. So every job begun since is waited for.
    """
    world = make_world(job_seconds=600.0)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    number = max(entry.number for entry in world.sandbox.log())
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))

    result = world.run(on_progress=later_by_another_app(world, 300.0))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    *posts, removal = [entry for entry in world.sandbox.log(number) if entry.method != "GET"]
    assert [entry.method for entry in posts] == ["POST", "POST", "POST"]
    assert removal.method == "DELETE"
    assert removal.received_at >= max(entry.received_at for entry in posts) + 600.0
    assert world.emails() == ["ann@example.com", "cat@example.com"]


def test_constant_imports_by_another_app_block_nobody(make_world: Callable[..., World]) -> None:
    """Imports that the app begins later cannot be the one whose reply was lost; there is always one."""
    world = make_world(job_seconds=120.0)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))
    result = world.run(
        on_progress=lambda event: by_another_app(world) if isinstance(event, JobProgress) else None
    )
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}


def test_a_run_with_held_removals_needs_attention(
    make_world: Callable[..., World],
) -> None:
    """Nothing failed, but an import that may be ours goes on for longer than is waited for."""
    world = make_world(job_seconds=450.0)
    world.profile(job_timeout_minutes=4)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))

    result = world.run(on_progress=later_by_another_app(world, 360.0))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.NOT_SENT: 1}
    assert "may still be running" in only_list(result).stop_reason
    assert result.exit_code == 1
    world.sandbox.finish_jobs()
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}


@pytest.mark.parametrize("after", [False, True])
def test_a_removal_with_a_lost_reply_is_unknown_and_repeated(members: World, after: bool) -> None:
    """Whether it was carried out or not: the rows stay uncertain, and the next run resolves them."""
    become(members, people("ann", "bob", "cat"))
    members.run()
    members.fault(Fault(FaultKind.CUT, "DELETE", MEMBERS, times=8, after=after))
    become(members, people("ann"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.UNKNOWN: 2}
    assert result.exit_code == 4
    members.calm()
    result = members.run()
    assert only_list(result).outcomes == {Outcome.REMOVED: 2}
    assert members.emails() == ["ann@example.com"]
    assert members.state("SELECT * FROM unmatched_removals") == []


def test_someone_who_comes_back_after_an_uncertain_removal_is_sent_again(prepare_world: PrepareWorld) -> None:
    """The snapshot still has Bob, but he may have been removed: being wanted and uncertain, he is sent."""
    members = prepare_world(send_two)
    members.fault(Fault(FaultKind.CUT, "DELETE", MEMBERS, times=8, after=True))
    become(members, people("ann"))
    members.run()
    assert members.emails() == ["ann@example.com"]
    members.calm()
    become(members, people("ann", "bob"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
