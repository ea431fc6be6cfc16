"""Which message a run sends: about what is new, once, and when all is well again."""

from __future__ import annotations

import pytest

from reverse_etl.alerts.conditions import Condition, RunEnd, Subject, decide_message, end_of_error
from reverse_etl.config.notify import ALERT_KINDS, AlertKind
from reverse_etl.errors import GuardRefused, Problem, UsageError, WarehouseError

FAILED, STOPPED, ATTENTION, RECOVERED = ALERT_KINDS
VIP = Subject(STOPPED, "vip", "VIP")
ROWS = Subject(ATTENTION, "vip", "VIP")
OTHER = Subject(ATTENTION, "other", "Other")
RUN = Subject(FAILED)


def ended(*subjects: Subject, models: str = "vip other", began: bool = True) -> RunEnd:
    """Return the end of a run of these models."""
    conditions = tuple(Condition(subject) for subject in subjects)
    return RunEnd("r1" if began else "", 3, conditions, frozenset(models.split()))


@pytest.mark.parametrize(
    ("end", "reported", "kind", "afterwards"),
    [
        pytest.param(ended(), set(), None, set(), id="well as before"),
        pytest.param(ended(VIP), set(), STOPPED, {VIP}, id="new"),
        pytest.param(ended(VIP), {VIP}, None, {VIP}, id="it lasts"),
        pytest.param(ended(VIP, OTHER), {VIP}, ATTENTION, {VIP, OTHER}, id="another joins it"),
        pytest.param(ended(ROWS), {VIP}, ATTENTION, {ROWS}, id="it changes"),
        pytest.param(ended(VIP), {VIP, OTHER}, None, {VIP}, id="a part is well"),
        pytest.param(ended(), {VIP, OTHER}, RECOVERED, set(), id="all is well"),
        pytest.param(ended(models="vip"), {VIP, OTHER}, None, {OTHER}, id="a model that did not run"),
        pytest.param(ended(models="vip"), {VIP}, RECOVERED, set(), id="the model that ran"),
        pytest.param(ended(RUN, began=False), {VIP}, FAILED, {VIP, RUN}, id="the run fails"),
        pytest.param(ended(RUN, began=False), {RUN}, None, {RUN}, id="it fails again"),
        pytest.param(ended(), {RUN}, RECOVERED, set(), id="it runs again"),
        pytest.param(ended(VIP, RUN), set(), FAILED, {VIP, RUN}, id="the worst first"),
    ],
)
def test_a_message_is_about_a_change(
    end: RunEnd, reported: set[Subject], kind: AlertKind | None, afterwards: set[Subject]
) -> None:
    decision = decide_message(end, reported, ALERT_KINDS)
    assert (decision.kind, decision.reported) == (kind, frozenset(afterwards))


def test_kinds_that_nobody_wants_are_not_reported() -> None:
    decision = decide_message(ended(ROWS), set(), [FAILED])
    assert (decision.kind, decision.reported) == (None, frozenset())
    assert decide_message(ended(), {VIP}, [FAILED]).kind is None


@pytest.mark.parametrize(
    ("error", "exit_code", "subjects"),
    [
        (UsageError.of("The profile is wrong."), 2, [RUN]),
        (WarehouseError.of("It is locked."), 4, [RUN]),
        (RuntimeError("a bug"), 4, [RUN]),
        (
            GuardRefused(Problem("Too many.", models=("vip",)), Problem("Too few.", models=("other",))),
            3,
            [Subject(STOPPED, "other"), Subject(STOPPED, "vip")],
        ),
        (GuardRefused.of("All is stopped."), 3, [Subject(STOPPED)]),
    ],
)
def test_an_error_is_a_condition(error: Exception, exit_code: int, subjects: list[Subject]) -> None:
    end = end_of_error(error)
    assert (end.exit_code, [condition.subject for condition in end.conditions]) == (exit_code, subjects)
