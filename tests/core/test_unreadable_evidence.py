"""Rule: no reply blocks more than its list. Unreadable evidence proves nothing, and the next runs go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress, Warned
from reverse_etl.klaviyo import imports
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

ERRORS = f"{IMPORTS}/*/import-errors"
DAY = 86_400.0


@pytest.fixture
def members(world: World) -> World:
    """Make a world with the models of two lists."""
    members_model(world)
    world.model("others", "select email from others", list="Others", identifiers={"email": "email"})
    world.people([{"email": "zoe@example.com"}], table="others")
    return world


def run_with_warnings(world: World) -> tuple[Any, str]:
    """Run, and return the result and the warnings."""
    warnings: list[str] = []

    def note(event: Any) -> None:
        if isinstance(event, Warned):
            warnings.append(event.text)

    return world.run(on_progress=note), " ".join(warnings)


def status(value: Any, path: str = IMPORTS, field: str = "/data/*/attributes/status") -> Fault:
    """Return the fault that shows each job with a status."""
    return Fault(FaultKind.SET, "GET", path, times=None, field=field, value=value)


def test_an_import_error_without_an_id_names_its_row_like_any_other(members: World) -> None:
    """Its id is not needed. Once it made every later run of every list fail."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob"))
    members.fault(Fault(FaultKind.OMIT, "GET", ERRORS, field="/data/*/id", times=None))
    result = members.run()
    assert only_list(result, "members").outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert only_list(result, "others").outcomes == {Outcome.APPLIED: 1}


UNREADABLE_ERRORS = [
    Fault(FaultKind.HTML, "GET", ERRORS, times=None),
    Fault(FaultKind.STATUS, "GET", ERRORS, status=404, times=None),
    Fault(FaultKind.OMIT, "GET", ERRORS, field="/data", times=None),
    Fault(FaultKind.SET, "GET", ERRORS, field="/data", value={"id": "x"}, times=None),
    Fault(FaultKind.SET, "GET", ERRORS, field="/data", value=["x", None, 3], times=None),
    Fault(FaultKind.OMIT, "GET", ERRORS, field="/data/*/attributes", times=None),
    Fault(FaultKind.SET, "GET", ERRORS, field="/data/*/attributes", value=[1], times=None),
    Fault(FaultKind.SET, "GET", ERRORS, field="/links/next", value="https://example.com/x", times=None),
    Fault(FaultKind.ENDLESS, "GET", ERRORS, times=None),
    Fault(FaultKind.SET, "GET", IMPORTS, field="/data/*/attributes/failed_count", value="one", times=None),
    Fault(FaultKind.SET, "GET", IMPORTS, field="/data/*/attributes/total_count", value=-1, times=None),
    Fault(FaultKind.SET, "GET", IMPORTS, field="/data/*/attributes/completed_count", value=7, times=None),
    Fault(FaultKind.OMIT, "GET", IMPORTS, field="/data/*/attributes/total_count", times=None),
    Fault(FaultKind.OMIT, "GET", IMPORTS, field="/data/*/attributes", times=None),
    Fault(FaultKind.HTML, "GET", f"{IMPORTS}*", times=None),
]


@pytest.mark.parametrize(
    ("dies", "faults"),
    [
        (False, UNREADABLE_ERRORS),
        (True, UNREADABLE_ERRORS[::3]),  # each kind of fault: how a document is damaged is read alike
        pytest.param(True, UNREADABLE_ERRORS, marks=pytest.mark.long),
    ],
    ids=["in the run", "after its death", "each after its death"],
)
def test_evidence_that_cannot_be_read_leaves_its_rows_unknown_and_blocks_nobody(
    members: World, monkeypatch: pytest.MonkeyPatch, *, dies: bool, faults: list[Fault]
) -> None:
    """The rows are sent again; those of a person who leaves meanwhile are looked up and removed.

    Each day has another fault, and other people. On every second one the faults stop before the next, the
    others being those of the other case: then each list is that of the day.
    """
    members.profile(job_timeout_minutes=30)  # of the test's clock; by default thousands of polls longer
    monkeypatch.setattr(imports, "MAX_ERROR_PAGES", 20)  # of the errors that do not end
    for number, fault in enumerate(faults):
        case = f"{fault.kind} {fault.path} {fault.field}"
        become(members, people(f"ann{number}", f"bob{number}"))
        members.people([{"email": f"zoe{number}@example.com"}], table="others")
        members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob"))
        if dies:
            assert members.dies(lambda event: isinstance(event, JobProgress) and event.model == "members")
        members.fault(fault)
        result, warnings = run_with_warnings(members)
        if dies:
            assert "2 rows unknown." in warnings or "1 row unknown." in warnings, case
        else:
            assert Outcome.UNKNOWN in only_list(result, "members").outcomes, case
            assert "Members: " in warnings, case
            assert result.exit_code == 1, case
        members.sandbox.clear_faults()
        if number % 2 == dies:
            become(members, people(f"bob{number}"))
            assert members.run().exit_code == 0, case
            assert members.emails() == [f"bob{number}@example.com"], case
            assert members.emails("Others") == [f"zoe{number}@example.com"], case
    become(members, people("bob"))
    for _ in range(2):
        result = members.run()
    assert result.exit_code == 0
    assert members.emails() == ["bob@example.com"]
    assert members.emails("Others") == [f"zoe{number}@example.com"]


def test_a_status_that_nobody_knows_is_waited_for_ten_minutes_and_named(members: World) -> None:
    """It may be over, or not: after ten minutes it proves nothing, and the other list is sent to."""
    become(members, people("ann", "bob"))
    members.fault(status("archived"))
    began = members.clock.monotonic()
    result, warnings = run_with_warnings(members)
    assert 1_200 <= members.clock.monotonic() - began < 1_500
    assert only_list(result, "members").outcomes == {Outcome.UNKNOWN: 2}
    assert only_list(result, "others").outcomes == {Outcome.UNKNOWN: 1}
    assert "The import job's status is 'archived', which reverse-etl does not know." in warnings
    members.calm()
    result = members.run()
    assert only_list(result, "members").outcomes == {Outcome.APPLIED: 2}
    assert result.exit_code == 0


def test_a_job_that_never_ends_blocks_its_own_list_and_only_for_a_day(members: World) -> None:
    """Its list waits, since the import could yet add somebody who is removed now. Others go on.

    A day later its rows are unknown: they are sent again.
    """
    members.profile(job_timeout_minutes=1)
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.STALL, "POST", IMPORTS))
    result = members.run()
    assert only_list(result, "members").outcomes == {Outcome.ACCEPTED: 2}
    assert "status: 'processing'" in only_list(result, "members").stop_reason
    members.wait(DAY / 4)
    members.people([{"email": "yan@example.com"}, {"email": "zoe@example.com"}], table="others")
    became = members.clock.monotonic()
    result = members.run()
    assert members.clock.monotonic() - became < 30.0
    assert only_list(result, "members").outcomes == {Outcome.NOT_SENT: 2}
    assert "status: 'processing'" in only_list(result, "members").stop_reason
    assert only_list(result, "members").failed
    assert only_list(result, "others").outcomes == {Outcome.APPLIED: 2}
    assert result.exit_code == 4
    members.wait(DAY)
    become(members, people("bob"))
    result, warnings = run_with_warnings(members)
    assert only_list(result, "members").outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert "2 rows unknown. The import job did not end: its status is still 'processing'." in warnings
    assert result.exit_code == 0
    assert members.emails() == ["bob@example.com"]
    assert members.state("SELECT state FROM runs WHERE state IN ('submitting', 'unsettled')") == []


def test_a_job_that_klaviyo_forgets_leaves_its_rows_unknown(members: World) -> None:
    """They are sent again."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.FORGET, "POST", IMPORTS, seconds=0.0))
    result, warnings = run_with_warnings(members)
    assert only_list(result, "members").outcomes == {Outcome.UNKNOWN: 2}
    assert only_list(result, "others").outcomes == {Outcome.APPLIED: 1}
    assert "Klaviyo no longer knows the import job." in warnings
    assert only_list(members.run(), "members").outcomes == {Outcome.APPLIED: 2}


def test_a_lost_import_that_may_never_end_blocks_its_own_list_and_only_for_a_day(
    members: World,
) -> None:
    """Its reply was lost, so that any job of that time may be it; one of them never ends."""
    members.profile(job_timeout_minutes=1)
    become(members, people("ann", "bob"))
    members.fault(
        Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8),
        Fault(FaultKind.STALL, "POST", IMPORTS, times=8),
    )
    assert only_list(members.run(), "members").outcomes == {Outcome.UNKNOWN: 2}
    members.sandbox.clear_faults()
    members.people([{"email": "yan@example.com"}, {"email": "zoe@example.com"}], table="others")
    for _ in range(2):
        members.wait(DAY / 4)
        result = members.run()
        assert only_list(result, "members").outcomes == {Outcome.NOT_SENT: 2}
        assert "reply was lost" in only_list(result, "members").stop_reason
    assert members.emails("Others") == ["yan@example.com", "zoe@example.com"]
    members.wait(DAY)
    assert only_list(members.run(), "members").outcomes == {Outcome.APPLIED: 2}
    assert members.run().exit_code == 0


def test_an_error_that_names_a_row_is_believed_whatever_the_counts_say(
    make_world: Callable[..., World],
) -> None:
    """The job says that nothing failed, and an error names Bob: he is not called applied."""
    members = make_world(job_seconds=0.0)
    members_model(members)
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob"))
    job = {"status": "complete", "total_count": 2, "completed_count": 2, "failed_count": 0}
    members.fault(Fault(FaultKind.SET, "GET", IMPORTS, times=None, field="/data/*/attributes", value=job))
    assert only_list(members.run(), "members").outcomes == {Outcome.APPLIED: 1, Outcome.UNKNOWN: 1}
    members.calm()
    assert only_list(members.run(), "members").outcomes == {Outcome.APPLIED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
