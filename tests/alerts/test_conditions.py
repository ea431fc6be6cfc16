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
from reverse_etl.alerts.decisions import Reported
from reverse_etl.delivery.outcomes import Outcome
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
    """A message names no cause of rows that were rejected before."""
    assert names(decide(run_of(result), Reported()).conditions) == causes


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
