"""Status: what is said of a list after a run that came to every kind of end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress, SendProgress
from reverse_etl.errors import KlaviyoError
from reverse_etl.report.status import Interruption, ListEnd
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import BY_EMAIL, SELECT, become, clubs_model, members_model, people, person
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from typing import Any

    from tests.core.world import World


def test_status_counts_the_outcomes_of_each_list(world: World) -> None:
    """Ann's row is mangled, which holds her old one; what came of Dan's import nobody knows; the others stay.

    A row that is held while others are sent is unsettled too: Dan's may have been hers at Klaviyo.
    """
    members_model(world)
    become(world, people("ann", "bob", "cat"))
    world.run()
    become(world, [person("ann", email="ann at example"), *people("bob", "cat", "dan")])
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=9))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.UNKNOWN: 1}
    (told,) = world.project().status().lists
    assert (told.model, told.list_name, told.list_id) == (
        "members",
        "Members",
        only_list(result).list_plan.list_ref.id,
    )
    assert (told.applied, told.rejected, told.held, told.uncertain) == (3, 1, 1, 2)
    assert told.last_run is not None
    assert told.last_run.run_id == result.run_id
    world.calm()
    world.wait(600.0)
    become(world, people("ann", "bob", "cat", "dan"))
    world.run()
    (told,) = world.project().status().lists
    assert (told.applied, told.rejected, told.held, told.uncertain) == (4, 0, 0, 0)


def is_first_job(event: Any) -> bool:
    """Return whether an import is waited for: its receipt is stored."""
    return isinstance(event, JobProgress)


def test_an_interrupted_first_run_is_reported_as_interrupted(world: World) -> None:
    """Its list gets a note only once the model no longer owns it, also if `reconcile` settled the run."""
    members_model(world)
    become(world, people("ann", "bob"))
    assert world.dies(is_first_job)
    status = world.project().status()
    assert [(told.list_name, told.uncertain, told.note) for told in status.lists] == [("Members", 2, "")]
    assert status.interruption == Interruption(status.runs[0].run_id, {"accepted": 2}, 0)
    assert status.interruption.describe() == (
        "Rows of this run: 2 accepted by Klaviyo and not confirmed yet."
    )
    world.calm()
    world.project().reconcile(resend=True)
    status = world.project().status()
    assert [(told.applied, told.note) for told in status.lists] == [(2, "")]
    assert status.interruption is None
    members_model(world, list="Others")
    world.run()
    (note,) = [told.note for told in world.project().status().lists if told.note]
    assert "no longer owns" in note


def test_rows_without_a_recorded_reply_are_counted(world: World) -> None:
    """A run that dies before it stores a receipt may have sent them or not."""
    clubs_model(world)
    become(world, [*people("ann", "bob", club="Tea"), person("cat", club="Coffee")])
    assert world.dies(lambda event: isinstance(event, SendProgress))
    status = world.project().status()
    assert status.interruption is not None
    assert sum(status.interruption.answered.values()) + status.interruption.unanswered == 3
    assert status.interruption.unanswered > 0
    assert [told.note for told in status.lists] == ["", ""]


def test_a_list_that_is_not_created_yet_gives_its_name_to_no_profiles(world: World) -> None:
    """Both have no list id: neither status nor the report takes one for the other."""
    world.model("everybody", SELECT, surface="profiles", identifiers=BY_EMAIL)
    become(world, people("ann"))
    world.run()
    members_model(world)
    world.fault(Fault(FaultKind.CUT, "POST", "/api/lists"))
    assert world.run().exit_code == KlaviyoError.exit_code
    assert world.state("SELECT list_id, name FROM lists") == [(None, "Members")]
    listed_names = [(listed.model, listed.list_name) for listed in world.project().status().lists]
    assert listed_names == [("everybody", ""), ("members", "Members")]
    become(world, [person("ann", first_name="Anna")])
    world.run(select=["everybody"])
    (listed,) = world.project().report().lists
    assert (listed.label.model, listed.label.name) == ("everybody", "")


def test_lists_that_no_run_sends_to_any_more_say_why(world: World) -> None:
    """A deleted model's, one that its model has left, and one that Klaviyo no longer has."""
    for name in ("gone", "moved", "members"):
        world.model(name, SELECT, list=name.title(), identifiers=BY_EMAIL)
    become(world, people("ann"))
    world.run()
    assert world.project().status().ended_lists == {}
    before = {name: world.list_id(name.title()) for name in ("gone", "moved", "members")}
    world.drop_model("gone")
    world.model("moved", SELECT, list="Elsewhere", identifiers=BY_EMAIL)
    world.by_hand("DELETE", f"/api/lists/{before['members']}")
    world.run()
    ended = {
        ("gone", before["gone"]): ListEnd.MODEL_DELETED,
        ("moved", before["moved"]): ListEnd.NOT_OWNED,
        ("members", before["members"]): ListEnd.FORGOTTEN,
    }
    assert world.project().status().ended_lists == ended
    assert world.project().report().ended_lists == ended
