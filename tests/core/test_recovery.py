"""Rule: state. Rows that a run left uncertain are settled, or stay uncertain, in the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress, SendProgress
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state import State
from tests.core.rows import become, members_model, people
from tests.core.world import Interrupted, only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


def deltas(world: World) -> list[str]:
    """Return the identities of which nobody knows yet whether they were applied."""
    ((key,),) = world.state("SELECT table_key FROM models WHERE model = 'members'")
    return [identity for (identity,) in world.state(f"SELECT retl_identity FROM deltas_{key} ORDER BY 1")]


def test_sent_rows_are_uncertain_until_they_are_proved(members: World) -> None:
    """The run dies while its import is under way.

    Its rows are deltas of a run that is still `submitting`, and in no snapshot.
    """
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, SendProgress))
    assert deltas(members) == ["email:ann@example.com", "email:bob@example.com"]
    assert members.state("SELECT state FROM runs") == [("submitting",)]
    before = len(members.writes())
    result = members.run()
    assert only_list(result).list_plan.unchanged == 2
    assert len(members.writes()) == before
    assert deltas(members) == []
    assert members.state("SELECT state FROM runs ORDER BY started_at") == [("recovered",), ("ended",)]


def test_an_uncertain_row_that_is_no_longer_desired_is_removed(members: World) -> None:
    """It is unknown whether Bob was added. He is not desired now: if he is a member, he is removed."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8))
    assert only_list(members.run()).outcomes == {Outcome.UNKNOWN: 2}
    members.calm()
    become(members, people("ann"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


def test_an_unsent_row_is_never_marked_done(members: World) -> None:
    """The key is refused: nothing was sent, nothing is uncertain, and the next run sends it all."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=401))
    assert only_list(members.run()).outcomes == {Outcome.NOT_SENT: 2}
    assert deltas(members) == []
    assert only_list(members.run()).list_plan.adds == 2


def test_an_unsent_repetition_proves_nothing_about_the_first_request(members: World) -> None:
    """Rows are uncertain from one run; the next can't send at all. They stay uncertain."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8))
    members.run()
    members.sandbox.clear_faults()
    members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=401))
    assert only_list(members.run()).outcomes == {Outcome.NOT_SENT: 2}
    assert deltas(members) == ["email:ann@example.com", "email:bob@example.com"]


def test_jobs_of_an_earlier_run_are_settled_before_planning(
    make_world: Callable[..., World],
) -> None:
    """An import from yesterday is still under way: what it will do is not known, so nothing is sent."""
    world = make_world(job_seconds=7200.0)
    world.profile(job_timeout_minutes=1)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    before = len(world.writes())
    become(world, people("ann", "cat"))
    result = world.run()
    assert "still processing import jobs" in only_list(result).stop_reason
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.NOT_SENT: 3}, 4)
    assert len(world.writes()) == before
    world.sandbox.finish_jobs()
    result = world.run()
    assert only_list(result).list_plan.adds == 1


def test_an_import_without_a_receipt_is_waited_for(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run died after it sent and before it kept the job's id.

    The import could yet put Ann on the list, who is not wanted any more: nothing is sent before it has ended.
    """
    world = make_world(job_seconds=600.0)
    members_model(world)
    become(world, people("ann", "bob"))
    with monkeypatch.context() as patched:
        patched.setattr(State, "record_receipts", lambda *_: (_ for _ in ()).throw(Interrupted))
        with pytest.raises(Interrupted):
            world.run()
    lost = world.writes()[-1]
    assert world.state("SELECT * FROM receipts") == []
    become(world, people("bob"))
    world.run()
    later = world.writes()[-2:]
    assert [entry.method for entry in later] == ["POST", "DELETE"]
    assert all(entry.received_at >= lost.received_at + 600.0 for entry in later)
    assert world.emails() == ["bob@example.com"]


@pytest.mark.parametrize("dropped", [[], ["first_name"]])
def test_a_killed_run_is_settled_after_the_models_columns_changed(members: World, dropped: list[str]) -> None:
    """The run died, and then a column was added, or dropped.

    Its rows are taken over by the columns they were sent with.
    """
    become(members, people("ann", "bob"))
    members.dies(lambda event: isinstance(event, SendProgress))
    kept = [name for name in ("email", "customer_id", "first_name") if name not in dropped]
    members_model(members)
    members.model(
        "members",
        f"select {', '.join(kept)}, 7 as points from people",
        identifiers={"email": "email", "external_id": "customer_id"},
    )
    result = members.run()
    assert only_list(result).list_plan.updates == 2
    assert members.person("ann@example.com")["properties"] == {"points": 7}
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before


def test_a_refused_repetition_does_not_make_the_first_import_unsent(
    members: World,
) -> None:
    """The first try was carried out, its reply lost, and the second refused. Ann is a member, and leaves."""
    become(members, people("ann", "bob"))
    members.fault(
        Fault(FaultKind.STATUS, "POST", IMPORTS, status=503, after=True),
        Fault(FaultKind.STATUS, "POST", IMPORTS, status=409),
    )
    result = members.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNKNOWN: 2}, 4)
    members.sandbox.finish_jobs()
    become(members, people("bob"))
    members.run()
    assert members.emails() == ["bob@example.com"]


def test_a_rejected_row_stays_rejected_through_every_recovery(members: World) -> None:
    """A row was uncertain and then refused.

    Its run died later on, and the next run takes over once more what it proved.
    """
    members.model("z_others", "select email from others", list="Others", identifiers={"email": "email"})
    members.people([{"email": "zoe@example.com"}], table="others")
    become(members, people("ann", "bob", "cat"))
    members.fault(Fault(FaultKind.CANCEL))
    assert members.run().lists[0].outcomes == {Outcome.UNKNOWN: 3}
    members.fault(Fault(FaultKind.INVALID_ROWS, pattern="^bob@", times=None))
    members.people([{"email": "yan@example.com"}, {"email": "zoe@example.com"}], table="others")
    assert members.dies(lambda event: isinstance(event, SendProgress) and event.model == "z_others")
    for _ in range(2):
        members.run()
        assert members.emails() == ["ann@example.com", "cat@example.com"]
        ((key,),) = members.state("SELECT table_key FROM models WHERE model = 'members'")
        assert members.state(f"SELECT retl_email FROM snapshot_{key} ORDER BY 1") == [
            ("ann@example.com",),
            ("cat@example.com",),
        ]
        assert members.state("SELECT row_key FROM rejections") == [("email:bob@example.com",)]


def test_a_recovered_job_is_compared_with_the_rows_that_were_sent(members: World) -> None:
    """One of three rows was never sent, since it can't be rendered.

    The job of the other two ends after the run has died.
    """
    members.model(
        "members",
        "select email, customer_id, 'x' as note, case when first_name = 'Bob' then 'NaN'::double "
        "else 1 end as score from people",
        identifiers={"email": "email"},
    )
    become(members, people("ann", "bob", "cat"))
    assert members.dies(lambda event: isinstance(event, JobProgress))
    before = len(members.writes())
    assert only_list(members.run()).list_plan.unchanged == 2
    assert len(members.writes()) == before
