"""Sentences of the guards about rejected rows and missing rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan

_IDENTIFIER_BY_PROBLEM: Final[Mapping[RowProblem, IdentifierType]] = {
    RowProblem.EMAIL_TOO_LONG: IdentifierType.EMAIL,
    RowProblem.EMAIL_INVISIBLE: IdentifierType.EMAIL,
    RowProblem.EMAIL_MALFORMED: IdentifierType.EMAIL,
    RowProblem.PHONE_INVISIBLE: IdentifierType.PHONE,
    RowProblem.PHONE_TRUNK_ZERO: IdentifierType.PHONE,
    RowProblem.PHONE_MALFORMED: IdentifierType.PHONE,
}


def describe_rejections(list_plan: ListPlan, *, only_new: bool = False) -> str:
    """Return the reasons of a list's rejected rows with their numbers, the most frequent first."""
    counts = [
        (rejection.new_rows if only_new else rejection.rows, rejection.reason.describe())
        for rejection in list_plan.check_rejections
    ]
    ordered = sorted((count for count in counts if count[0]), key=lambda count: -count[0])
    return ", ".join(f"{description}: {rows:,}" for rows, description in ordered)


def too_few_rows_text(model_plan: ModelPlan, list_plan: ListPlan) -> str:
    """Return what happened to a list with fewer rows than min_rows; rejected rows come first."""
    for_this_list = " for this list" if model_plan.tables.many_lists else ""
    returned = list_plan.rows + list_plan.withheld + list_plan.rejected_by_check
    rejected = describe_rejections(list_plan)
    if rejected and not list_plan.rows:
        subject, verb = ("The only row", "was") if returned == 1 else (f"All {returned:,} rows", "were")
        return f"{subject}{for_this_list} {verb} rejected ({rejected}). Nothing was sent."
    rows = (
        f"Only {list_plan.rows:,} of {format_count(returned, 'row')}{for_this_list} can be sent "
        f"(rejected: {rejected})"
        if rejected
        else f"The model returned {format_count(returned, 'row')}{for_this_list}"
    )
    sent_before = format_count(list_plan.snapshot_rows, "row was", "rows were")
    min_rows = model_plan.model.config.min_rows
    return f"{rows}; min_rows is {min_rows:,}. {sent_before} sent before. Nothing was sent."


def rejected_columns_hint(model_plan: ModelPlan, list_plan: ListPlan) -> str:
    """Return what to fix: the column of the most frequent reason, and the command that shows all reasons."""
    main_reason = max(list_plan.check_rejections, key=lambda rejection: rejection.rows)
    return (
        f"{_fix_text(model_plan, main_reason)} "
        f"To see the reasons: reverse-etl plan --select {model_plan.model.name}."
    )


def _fix_text(model_plan: ModelPlan, rejection: RejectedRows) -> str:
    identifier = _IDENTIFIER_BY_PROBLEM.get(RowProblem(rejection.reason.code))
    column = model_plan.model.config.identifiers.get(identifier) if identifier else None
    if column:
        return f"Fix the column {column}."
    match RowProblem(rejection.reason.code):
        case RowProblem.NO_IDENTIFIER:
            return f"Fill one of the columns {', '.join(model_plan.model.config.identifiers.values())}."
        case RowProblem.NO_LIST | RowProblem.LIST_INVISIBLE:
            return "Fix the list column."
        case RowProblem.STILL_REJECTED:
            return "Fix the rows that Klaviyo refused: reverse-etl status shows why."
        case _:
            return "Fix the rows that were rejected."
