"""The result of a run as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.cli.output import tables as show
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.results import collect_shown_figures
from reverse_etl.formatting import format_count
from reverse_etl.report.figures import HELD_MEANING, RESULT_COLUMNS, figure_table

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult

_SEE_HELD: Final = "To see which, and what to do: reverse-etl status --held"


def show_result(result: RunResult) -> None:
    """Print what a run did: a line per list."""
    counts = [collect_shown_figures(list_result) for list_result in result.lists]
    headings, figures = figure_table(RESULT_COLUMNS, counts)
    rows = [
        (list_result.list_plan.list_ref.label, list_result.model, *numbers)
        for list_result, numbers in zip(result.lists, figures, strict=True)
    ]
    show.print_table(("list", "model", *headings), rows, text_columns=2)


def follow_up_lines(result: RunResult) -> list[str]:
    """Return a line for each kind of row that is neither applied nor removed."""
    newly_rejected = sum(
        rejected.new_rows
        for list_result in result.lists
        for rejected in list_result.list_plan.check_rejections
    )
    if not result.lists:
        return []
    of_lists = [collect_shown_figures(list_result) for list_result in result.lists]
    totals = {name: sum(list_figures[name] for list_figures in of_lists) for name in of_lists[0]}
    stopped = sum(
        list_result.outcomes.get(Outcome.NOT_SENT, 0)
        for list_result in result.lists
        if list_result.list_plan.stop_reason
    )
    follow_ups = [
        (newly_rejected + totals["rejected_by_klaviyo"], "newly rejected. To see why: reverse-etl status"),
        (
            totals["rejected_by_check"] - newly_rejected,
            "rejected as before. To see why: reverse-etl status",
        ),
        (
            totals["held_at_plan"] + totals["held_at_lookup"],
            f"held: a person on a stopped list, or a rejected row, may be the same person. {_SEE_HELD}"
            if result.plan.violations
            else f"held: {HELD_MEANING}. {_SEE_HELD}",
        ),
        (
            totals["opted_out"],
            "not subscribed: people opted out, complained or were suppressed. To see why: reverse-etl status",
        ),
        (
            totals["pending"],
            "pending: Klaviyo does not show the consent yet. People may have to confirm it.",
        ),
        (totals["accepted"], "accepted but not confirmed yet. The next run settles them."),
        (totals["unknown"], "unknown. The next run settles them."),
        (stopped, "not sent: a guard stopped their list."),
        (totals["not_sent"] - totals["deferred"] - stopped, "not sent. The next run continues."),
        (
            totals["unmanaged"],
            "unmanaged: added by someone else. To let the model decide about members: reverse-etl adopt",
        ),
        (totals["not_found"], "not found: nobody was found, so nobody was removed."),
    ]
    return [f"{format_count(rows, 'row')} {text}" for rows, text in follow_ups if rows]
