"""Runs that fail before they send a row: what the state records of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import mask_text
from reverse_etl.errors import ReverseEtlError, RunFailure
from reverse_etl.formatting import escape_unsafe
from reverse_etl.state.runs import RefusedRun

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.state import State

_EXIT_CODE: Final = 4  # of an error that is not one of ours
_MAX_REASONS: Final = 20
_MAX_LENGTH: Final = 300
# A warehouse's message may quote a value of a row, unless it is about the SQL itself.
_MESSAGE_WITH_VALUES: Final = re.compile(
    rf"\b({'|'.join(Engine)}): (?!(?:Catalog|Binder|Parser) Error:|SQL compilation error).*",
    re.DOTALL | re.IGNORECASE,
)


@dataclass
class RunAttempt:
    """A run from its start on, whatever becomes of it.

    `account` is that of the key, "" before Klaviyo said so. `is_recorded` is whether the state has a record
    of the run.
    """

    run_id: str
    started_at: str
    account: str = ""
    is_recorded: bool = False


def record_failed_run(state: State, attempt: RunAttempt, destination_id: str, error: Exception) -> None:
    """Record a run that failed before it sent a row, unless the state has it. Hold the lease meanwhile."""
    if all(run.run_id != attempt.run_id for run in state.runs.history()):
        cause, exit_code = (
            (error.cause_code, error.exit_code)
            if isinstance(error, ReverseEtlError)
            else (RunFailure.INTERNAL, _EXIT_CODE)
        )
        reasons = describe_failure(error)
        state.runs.record_refused_run(
            RefusedRun(attempt.run_id, destination_id, reasons, cause, exit_code, attempt.started_at)
        )
    attempt.is_recorded = True


def describe_failure(error: Exception) -> list[str]:
    """Return why a run failed, a text for each problem, without values of rows."""
    if not isinstance(error, ReverseEtlError):
        return [f"An internal error: {type(error).__name__}."]
    reasons = [_describe_problem(problem) for problem in error.problems[:_MAX_REASONS]]
    more = len(error.problems) - len(reasons)
    return [*reasons, f"{more:,} more problems are in the log of the run."] if more else reasons


def _describe_problem(problem: Problem) -> str:
    summary = _MESSAGE_WITH_VALUES.sub(r"\1's message is in the log of the run.", problem.summary)
    summary = mask_text(" ".join(escape_unsafe(summary).split()))
    if len(summary) > _MAX_LENGTH:
        summary = f"{summary[:_MAX_LENGTH]}…"
    return f"{summary} At {mask_text(problem.where)}." if problem.where else summary
