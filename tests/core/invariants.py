"""Conditions that are true of every run, whatever happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.delivery.results import ListResult, RunResult

UPSERT_ENDS = {
    Outcome.APPLIED,
    Outcome.REJECTED,
    Outcome.ACCEPTED,
    Outcome.OPTED_OUT,
    Outcome.PENDING,
    Outcome.NO_PROFILE,
}
REMOVE_ENDS = {
    Outcome.REMOVED,
    Outcome.REPLACED,
    Outcome.UNMANAGED,
    Outcome.NOT_FOUND,
    Outcome.LEFT_IN_PLACE,
    Outcome.READMITTED,
}
EITHER = {Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.UNVERIFIED, Outcome.HELD}


def check_accounts(result: RunResult) -> None:
    """Check that no row is lost: what was staged, and what was planned, came to exactly one end each."""
    for model in result.plan.models:
        rejected = sum(list_plan.rejected_by_check for list_plan in model.lists)
        desired = sum(list_plan.rows for list_plan in model.lists)
        withheld = sum(list_plan.withheld for list_plan in model.lists)
        assert model.staged_rows == model.duplicate_rows + rejected + desired + withheld, model
    for listed in result.lists:
        _check_list(listed)
    failed = any(listed.failed for listed in result.lists)
    assert result.exit_code in {0, 1, 3, 4}
    assert (result.exit_code == 4) == failed
    assert (result.exit_code == 3) == (bool(result.plan.violations) and not failed)
    left = any(
        listed.stop_reason or listed.outcomes.get(Outcome.NOT_SENT, 0) > listed.list_plan.deferred
        for listed in result.lists
    )
    assert not (left and result.exit_code == 0)


JOURNALED = {
    *(Outcome.APPLIED, Outcome.UNVERIFIED, Outcome.NO_PROFILE, Outcome.REJECTED, Outcome.OPTED_OUT),
    *(Outcome.PENDING, Outcome.REMOVED, Outcome.REPLACED, Outcome.UNMANAGED, Outcome.NOT_FOUND),
    *(Outcome.LEFT_IN_PLACE, Outcome.READMITTED),
}  # without rows that are held, some of which count as not sent, and without those that are not proved

OPEN_SUPPRESSIONS = {Outcome.UNVERIFIED, Outcome.NO_PROFILE}  # the next run looks at them again


def check_journal(result: RunResult, rows: Iterable[tuple[str, str, str, int]]) -> None:
    """Check that the journal's rows of a run, (model, list id, outcome, count), are those of its result.

    A run that deletes people erases them from the journal, too.
    """
    if any(model.model.config.surface.deletes_people for model in result.plan.models):
        return
    journaled = {(model, list_id, outcome): count for model, list_id, outcome, count in rows}
    counts = {key: count for key, count in journaled.items() if key[2] in JOURNALED}
    suppressing = {
        model.model.name for model in result.plan.models if model.model.config.surface.suppresses_people
    }
    counted = {
        (listed.model, listed.list_plan.list_ref.id, str(outcome)): count
        for listed in result.lists
        for outcome, count in listed.outcomes.items()
        if outcome in (JOURNALED - OPEN_SUPPRESSIONS if listed.model in suppressing else JOURNALED)
    }
    assert counts == counted


def _check_list(listed: ListResult) -> None:
    plan, ends = listed.list_plan, listed.outcomes
    assert all(rows > 0 for rows in ends.values()), listed
    assert plan.unchanged >= 0, listed
    assert plan.unchanged + plan.upserts + plan.deferred + plan.without_profile == plan.rows, listed
    upserts = sum(rows for end, rows in ends.items() if end in UPSERT_ENDS)
    removes = sum(rows for end, rows in ends.items() if end in REMOVE_ENDS)
    either = sum(rows for end, rows in ends.items() if end in EITHER)
    assert upserts <= plan.upserts, listed
    assert removes <= plan.leaving, listed
    assert upserts + removes + either == plan.upserts + plan.leaving + plan.deferred, listed
    assert listed.outcomes.get(Outcome.LEFT_IN_PLACE, 0) <= plan.left_in_place, listed
