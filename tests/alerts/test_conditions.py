"""Which message a run sends: about what is new, once, and when it has recovered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.alerts.conditions import (
    Cause,
    Condition,
    Reported,
    RunEnd,
    Subject,
    decide_message,
    end_of_error,
    end_of_result,
)
from reverse_etl.config.notify import ALERT_KINDS, AlertKind
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.results import ListResult, RunResult
from reverse_etl.domain.rejections import RejectedRows, RejectionReason, RejectionSource, RowProblem
from reverse_etl.errors import (
    GuardRefused,
    IncompleteFile,
    KeyRefused,
    KlaviyoError,
    ModelError,
    Problem,
    ReplyLost,
    UnusableReply,
    UsageError,
    WarehouseError,
    WarehouseUnavailable,
)
from reverse_etl.planning.list_plan import ListPlan
from reverse_etl.planning.lists import ListRef
from reverse_etl.planning.plan import Plan
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, STOPPED, ATTENTION, RECOVERED = ALERT_KINDS
KNOWN = frozenset({"vip", "other"})
VIP = Subject(STOPPED, "vip")
ROWS = Subject(ATTENTION, "vip", "VIP")
OTHER = Subject(ATTENTION, "other", "Other")
OTHERS = Subject(STOPPED, "other")
RUN = Subject(FAILED, "vip")


def ended(
    *subjects: Subject, models: str = "vip other", has_result: bool = True, is_new: bool = True
) -> RunEnd:
    """Return the end of a run of these models."""
    conditions = tuple(Condition(subject, is_new=is_new) for subject in subjects)
    return RunEnd("r1", 3, conditions, frozenset(models.split()), has_result)


def list_result(
    outcomes: dict[Outcome, int] | None = None,
    *,
    rejected: Sequence[tuple[int, int]] = (),
    held_at_plan: int = 0,
    guard: str = "",
    **ending: Any,
) -> ListResult:
    """Return the result of the list VIP; `rejected` are (rows, new rows) of a reason."""
    reason = RejectionReason(RejectionSource.CHECK, RowProblem.EMAIL_MALFORMED)
    list_plan = ListPlan(
        ListRef("l1", "VIP", "VIP"),
        rows=9,
        snapshot_rows=9,
        held_at_plan=held_at_plan,
        check_rejections=tuple(RejectedRows(reason, rows, new) for rows, new in rejected),
        stop_reason=guard,
    )
    return ListResult("vip", list_plan, outcomes or {}, **{"stop_reason": "", "failed": False, **ending})


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
    assert (decision.kind, [condition.subject for condition in decision.conditions]) == (FAILED, [RUN])
    assert decide_message(ended(), Reported(frozenset({VIP})), [FAILED], KNOWN).kind is None


@pytest.mark.parametrize(
    ("error", "exit_code", "subjects", "cause"),
    [
        (UsageError.of("The profile is wrong."), 2, [Subject(FAILED, "other"), RUN], "configuration"),
        (ModelError.of("It has no column."), 2, [Subject(FAILED, "other"), RUN], "model"),
        (WarehouseError.of("A statement failed."), 4, [Subject(FAILED, "other"), RUN], "warehouse"),
        (WarehouseUnavailable.of("Locked."), 4, [Subject(FAILED, "other"), RUN], "warehouse_unavailable"),
        (KlaviyoError.of("No reply."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_unreachable"),
        (ReplyLost.of("No reply."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_unreachable"),
        (UnusableReply.of("500."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_refused"),
        (KeyRefused.of("A wrong key."), 2, [Subject(FAILED, "other"), RUN], "klaviyo_key"),
        (IncompleteFile.of("Cut off."), 4, [Subject(FAILED, "other"), RUN], "incomplete_file"),
        (RuntimeError("a bug"), 4, [Subject(FAILED, "other"), RUN], "internal"),
        (GuardRefused(Problem("Too many.", models=("vip",))), 3, [VIP], "guard"),
        (GuardRefused.of("All is stopped."), 3, [Subject(STOPPED, "other"), VIP], "guard"),
        (GuardRefused.of("dbt failed.").with_cause(StopCause.DBT_GATE), 3, [OTHERS, VIP], "dbt_gate"),
        (GuardRefused.of("It changed.").with_cause(StopCause.PLAN_DIFFERS), 3, [OTHERS, VIP], "plan_differs"),
    ],
)
def test_an_error_is_a_condition_of_each_model(
    error: Exception, exit_code: int, subjects: list[Subject], cause: str
) -> None:
    end = end_of_error(error, KNOWN)
    assert (end.exit_code, [condition.subject for condition in end.conditions]) == (exit_code, subjects)
    assert {condition.causes for condition in end.conditions} == {(cause,)}


@pytest.mark.parametrize(
    ("result", "causes"),
    [
        (list_result(rejected=[(2, 1)]), ["rejected_rows"]),
        (list_result({Outcome.REJECTED: 1, Outcome.OPTED_OUT: 1}), ["rejected_rows", "opted_out"]),
        (list_result({Outcome.HELD: 1}, rejected=[(2, 0)]), ["held_rows"]),
        (list_result({Outcome.UNKNOWN: 1, Outcome.ACCEPTED: 1}), ["unproved_rows"]),
        (list_result(held_at_plan=1), ["held_rows"]),
        (list_result(stop_reason="Klaviyo still works."), ["unfinished"]),
        (list_result(stop_reason="No reply.", failed=True), ["list_failed"]),
        (list_result(guard="Too many."), ["guard"]),
    ],
)
def test_a_list_has_the_codes_of_what_is_wrong(result: ListResult, causes: list[str]) -> None:
    """Rows that were rejected before are no cause, unless nothing else is."""
    end = end_of_result(RunResult("r1", Plan((), lists_looked_up=True), (result,), 1), strict=False)
    assert [*end.conditions[0].causes] == causes


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [cause for cause in Cause if f"| `{cause}` |" not in page] == []


def test_a_model_that_the_dbt_gate_holds_back_is_stopped() -> None:
    """The others of the run are well; a gate that holds all of them raises GuardRefused."""
    gate = (Problem("dbt's model failed.", models=("vip",)),)
    end = end_of_result(RunResult("r1", Plan((), lists_looked_up=True), (), 3, gate), strict=False)
    assert (end.run_id, end.conditions) == ("r1", (Condition(VIP, causes=(Cause.DBT_GATE,)),))
    assert end.models == {"vip"}


def test_an_error_before_models_are_known_is_one_of_the_run() -> None:
    (condition,) = end_of_error(WarehouseError.of("It is locked."), ()).conditions
    assert condition.subject == Subject(FAILED)
