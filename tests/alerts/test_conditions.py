"""The conditions after a run, and the codes of their causes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.alerts.conditions import (
    Cause,
    Condition,
    Subject,
    end_of_error,
)
from reverse_etl.alerts.decisions import Reported, ReportedCause
from reverse_etl.alerts.message import build_message
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import (
    FailureCause,
    FailureReason,
    GuardRefused,
    IncompleteFile,
    KeyRefused,
    KlaviyoError,
    ModelError,
    Problem,
    ReplyLost,
    StateUnreadable,
    UnusableReply,
    UsageError,
    WarehouseError,
    WarehouseMissing,
    WarehouseUnavailable,
)
from reverse_etl.state.runs import StopCause
from tests.alerts.run_ends import (
    FAILED,
    KNOWN,
    OTHERS,
    ROWS,
    RUN,
    STOPPED,
    VIP,
    decide,
    gate,
    list_result,
    names,
    run_of,
    sent,
)

if TYPE_CHECKING:
    from reverse_etl.delivery.results import ListResult


@pytest.mark.parametrize(
    ("error", "exit_code", "subjects", "cause"),
    [
        (UsageError.of("The profile is wrong."), 2, [Subject(FAILED, "other"), RUN], "configuration"),
        (ModelError.of("It has no column."), 2, [Subject(FAILED, "other"), RUN], "model"),
        (WarehouseMissing.of("No file."), 2, [Subject(FAILED, "other"), RUN], "warehouse_unavailable"),
        (WarehouseError.of("A statement failed."), 4, [Subject(FAILED, "other"), RUN], "warehouse"),
        (WarehouseUnavailable.of("Locked."), 4, [Subject(FAILED, "other"), RUN], "warehouse_unavailable"),
        (StateUnreadable.of("It is damaged."), 2, [Subject(FAILED, "other"), RUN], "state_damaged"),
        (KlaviyoError.of("No reply."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_unreachable"),
        (
            KlaviyoError.of("429.").with_failure_cause(FailureCause.KLAVIYO_RATE_LIMIT),
            4,
            [Subject(FAILED, "other"), RUN],
            "klaviyo_rate_limit",
        ),
        (ModelError(Problem("No column.", models=("vip",))), 2, [RUN], "model"),
        (WarehouseError(Problem("A cast failed.", models=("vip",))), 4, [RUN], "warehouse"),
        (
            UsageError(Problem("No list.", models=("vip",)), Problem("A wrong key.")),
            2,
            [Subject(FAILED, "other"), RUN],
            "configuration",
        ),
        (ModelError(Problem("One list.", models=("unselected", "vip"))), 2, [RUN], "model"),
        (ReplyLost.of("No reply."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_unreachable"),
        (UnusableReply.of("500."), 4, [Subject(FAILED, "other"), RUN], "klaviyo_refused"),
        (KeyRefused.of("A wrong key."), 2, [Subject(FAILED, "other"), RUN], "klaviyo_key"),
        (IncompleteFile.of("Cut off."), 4, [Subject(FAILED, "other"), RUN], "incomplete_file"),
        (RuntimeError("a bug"), 4, [Subject(FAILED, "other"), RUN], "internal"),
        (GuardRefused(Problem("Too many.", models=("vip",))), 3, [VIP], "guard"),
        (GuardRefused.of("All is stopped."), 3, [Subject(STOPPED, "other"), VIP], "guard"),
        (GuardRefused.of("dbt failed.").with_cause(StopCause.DBT_GATE), 3, [OTHERS, VIP], "dbt_gate"),
        (
            GuardRefused(Problem("It changed.", models=("vip",))).with_cause(StopCause.PLAN_DIFFERS),
            3,
            [Subject(STOPPED)],
            "plan_differs",
        ),
    ],
)
def test_an_error_is_a_condition_of_each_model_that_it_concerns(
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
        (list_result(held=(1, 0)), ["held_rows"]),
        (list_result(held=(3, 3)), []),
        (list_result(stop_reason="Klaviyo still works."), ["unfinished"]),
        (list_result(stop_reason="No reply.", failed=True), ["list_failed"]),
        *(
            (list_result(stop_reason=FailureReason.because(cause, "No."), failed=True), [cause.value])
            for cause in FailureCause
        ),
        (list_result(guard="Too many."), ["guard"]),
    ],
)
def test_a_list_has_the_codes_of_what_is_wrong(result: ListResult, causes: list[str]) -> None:
    """A message names no cause of rows that were rejected before."""
    assert names(decide(run_of(result), Reported()).conditions) == causes


def test_the_models_that_an_error_does_not_concern_were_not_sent() -> None:
    """A message names them so, and they have not failed."""
    end = end_of_error(ModelError(Problem("No column.", models=("vip",))), KNOWN)
    assert end.not_sent == ("other",)
    message = build_message(decide(end, Reported()), end, "shop", "prod")
    assert "vip: failed (cause: model)" in message.body
    assert "Not sent, without a fault of their own: other" in message.body
    assert message.document["not_sent"] == ["other"]
    assert decide(end, Reported()).if_sent.sent == {ReportedCause(RUN, Cause.MODEL)}


def test_models_that_fail_together_share_a_line() -> None:
    end = end_of_error(WarehouseUnavailable.of("It is locked."), {f"m{number:02}" for number in range(12)})
    message = build_message(decide(end, Reported()), end, "shop", "prod")
    names = ", ".join(f"m{number:02}" for number in range(10))
    assert message.body.splitlines()[0] == f"{names} and 2 more: failed (cause: warehouse_unavailable)"
    assert len(message.document["conditions"]) == 12


def test_a_plan_that_was_applied_already_is_no_news() -> None:
    refusal = GuardRefused(Problem("It changed.", models=("vip",))).with_cause(StopCause.PLAN_DIFFERS)
    assert decide(end_of_error(refusal, KNOWN), Reported()).kind is STOPPED
    refusal.was_applied = True
    end = end_of_error(refusal, KNOWN)
    assert (end.exit_code, decide(end, Reported()).kind) == (3, None)
    assert decide(end, sent(VIP)).ended == ()


@pytest.mark.parametrize(
    ("result", "new"),
    [
        (list_result({Outcome.REJECTED: 2}, rejected=[(5, 1)], opted_out=[(3, 3)]), 3),
        (list_result(rejected=[(5, 0)]), 0),
        (list_result(), None),
    ],
)
def test_figures_say_how_many_rejected_rows_are_new(result: ListResult, new: int | None) -> None:
    figures = [condition.figures.get("newly_rejected") for condition in run_of(result).conditions]
    assert figures == ([] if new is None else [new])


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [cause for cause in Cause if f"| `{cause}` |" not in page] == []


def test_a_model_that_the_dbt_gate_holds_back_is_stopped() -> None:
    """The others of the run are well; a gate that holds all of them raises GuardRefused."""
    end = gate(all_models=False)
    assert (end.run_id, end.conditions) == ("r1", (Condition(VIP, (Cause.DBT_GATE,)),))
    assert decide(end, sent(ROWS, RUN)).ended == ()  # the run did not look at its rows


def test_an_error_before_models_are_known_is_one_of_the_run() -> None:
    (condition,) = end_of_error(WarehouseError.of("It is locked."), ()).conditions
    assert condition.subject == Subject(FAILED)
