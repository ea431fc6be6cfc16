"""Which message a run sends: about what is new, once, and when it has recovered."""

from __future__ import annotations

import pytest

from reverse_etl.alerts.conditions import (
    Condition,
    Reported,
    RunEnd,
    Subject,
    decide_message,
    end_of_error,
    end_of_result,
)
from reverse_etl.config.notify import ALERT_KINDS, AlertKind
from reverse_etl.delivery.results import RunResult
from reverse_etl.errors import GuardRefused, Problem, UsageError, WarehouseError
from reverse_etl.planning.plan import Plan

FAILED, STOPPED, ATTENTION, RECOVERED = ALERT_KINDS
KNOWN = frozenset({"vip", "other"})
VIP = Subject(STOPPED, "vip")
ROWS = Subject(ATTENTION, "vip", "VIP")
OTHER = Subject(ATTENTION, "other", "Other")
RUN = Subject(FAILED, "vip")


def ended(
    *subjects: Subject, models: str = "vip other", has_result: bool = True, is_new: bool = True
) -> RunEnd:
    """Return the end of a run of these models."""
    conditions = tuple(Condition(subject, is_new=is_new) for subject in subjects)
    return RunEnd("r1", 3, conditions, frozenset(models.split()), has_result)


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
        pytest.param(ended(ROWS, is_new=False), {ROWS}, None, {ROWS}, id="rows that stay rejected"),
        pytest.param(ended(ROWS, is_new=False), set(), None, set(), id="rows rejected before alerts"),
        pytest.param(ended(models="vip"), {VIP, OTHER}, None, {OTHER}, id="a model that did not run"),
        pytest.param(ended(models="vip"), {VIP}, RECOVERED, set(), id="the model that ran"),
        pytest.param(ended(), {Subject(STOPPED, "gone")}, RECOVERED, set(), id="a model that was deleted"),
        pytest.param(ended(RUN, has_result=False), {VIP}, FAILED, {VIP, RUN}, id="the run fails"),
        pytest.param(ended(RUN, has_result=False), {RUN}, None, {RUN}, id="it fails again"),
        pytest.param(ended(models="other"), {RUN}, None, {RUN}, id="another model runs"),
        pytest.param(ended(), {RUN}, RECOVERED, set(), id="it runs again"),
        pytest.param(ended(VIP, RUN), set(), FAILED, {VIP, RUN}, id="the worst first"),
    ],
)
def test_a_message_is_about_a_change(
    end: RunEnd, reported: set[Subject], kind: AlertKind | None, afterwards: set[Subject]
) -> None:
    decision = decide_message(end, Reported(frozenset(reported)), ALERT_KINDS, KNOWN)
    assert (decision.kind, decision.new | decision.lasting) == (kind, frozenset(afterwards))


def test_a_message_that_was_not_sent_is_due_as_long_as_its_condition_lasts() -> None:
    unsent = Reported(unsent=frozenset({ROWS}))
    assert decide_message(ended(ROWS, is_new=False), unsent, ALERT_KINDS, KNOWN).kind is ATTENTION
    assert decide_message(ended(), unsent, ALERT_KINDS, KNOWN).kind is None


def test_a_message_names_no_model_whose_rows_were_reported_before() -> None:
    known, new = Condition(OTHER, is_new=False), Condition(ROWS)
    end = RunEnd("r1", 1, (known, new), KNOWN)
    assert decide_message(end, Reported(frozenset({OTHER})), ALERT_KINDS, KNOWN).conditions == (new,)


def test_kinds_that_nobody_wants_are_neither_reported_nor_named() -> None:
    decision = decide_message(ended(ROWS, RUN), Reported(), [FAILED], KNOWN)
    assert (decision.kind, [one.subject for one in decision.conditions]) == (FAILED, [RUN])
    assert decide_message(ended(), Reported(frozenset({VIP})), [FAILED], KNOWN).kind is None


@pytest.mark.parametrize(
    ("error", "exit_code", "subjects"),
    [
        (UsageError.of("The profile is wrong."), 2, [Subject(FAILED, "other"), RUN]),
        (WarehouseError.of("It is locked."), 4, [Subject(FAILED, "other"), RUN]),
        (RuntimeError("a bug"), 4, [Subject(FAILED, "other"), RUN]),
        (GuardRefused(Problem("Too many.", models=("vip",))), 3, [VIP]),
        (GuardRefused.of("All is stopped."), 3, [Subject(STOPPED, "other"), VIP]),
    ],
)
def test_an_error_is_a_condition_of_each_model(
    error: Exception, exit_code: int, subjects: list[Subject]
) -> None:
    end = end_of_error(error, KNOWN)
    assert (end.exit_code, [condition.subject for condition in end.conditions]) == (exit_code, subjects)


def test_a_model_that_the_dbt_gate_holds_back_is_stopped() -> None:
    """The others of the run are well; a gate that holds all of them raises GuardRefused."""
    gate = (Problem("dbt's model failed.", models=("vip",)),)
    end = end_of_result(RunResult("r1", Plan((), lists_looked_up=True), (), 3, gate), strict=False)
    assert (end.run_id, [condition.subject for condition in end.conditions]) == ("r1", [VIP])
    assert end.models == {"vip"}


def test_an_error_before_models_are_known_is_one_of_the_run() -> None:
    (condition,) = end_of_error(WarehouseError.of("It is locked."), ()).conditions
    assert condition.subject == Subject(FAILED)
