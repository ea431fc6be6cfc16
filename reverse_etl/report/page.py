"""Renders a report as one self-contained HTML page. The same report always gives the same page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl import __version__
from reverse_etl.domain.identifiers import KEY_PREFIX, IdentifierType, row_key_text
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.parsing.page_templates import create_page_environment
from reverse_etl.report import chart
from reverse_etl.report import wording as words
from reverse_etl.report.facts import ReportedRun
from reverse_etl.report.figures import OUTCOME_FIGURES, PLAN_FIGURES, select_figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from jinja2 import Environment

    from reverse_etl.report.facts import Report
    from reverse_etl.report.trends import ListHistory, ListTrend

_SEGMENT_LABELS: Final = {
    "right": "up to date",
    "sent": "added or updated",
    "wait": "held or pending",
    "halt": "kept back, since the list stopped",
    "stop": "rejected",
}
_RECEIPT_SEVERITIES: Final = {
    ReceiptState.APPLIED: words.Severity.OK,
    ReceiptState.ACCEPTED: words.Severity.PENDING,
    ReceiptState.UNKNOWN: words.Severity.WARNING,
    ReceiptState.NOT_SENT: words.Severity.ERROR,
}


@dataclass(frozen=True)
class PageLinks:
    """The pages that a page links to, as file names beside it; "" for none.

    `by_run` has those of runs, and `by_list` those of lists, by model and list id.
    """

    index: str = ""
    earlier: str = ""
    later: str = ""
    by_run: Mapping[str, str] = field(default_factory=dict)
    by_list: Mapping[tuple[str, str], str] = field(default_factory=dict)


NO_LINKS: Final = PageLinks()


def render_page(report: Report, links: PageLinks = NO_LINKS) -> str:
    """Return the page of a run, with all values escaped. Masks nothing: see `mask_report`."""
    runs = [*reversed(report.previous_runs), ReportedRun(report.run, report.lists)]
    lines = [chart.compute_line_points(chart.collect_row_history(summary, runs)) for summary in report.lists]
    return _ENVIRONMENT.get_template("run.html.j2").render(
        report=report,
        links=links,
        lines=lines if any(lines) else [],
        version=__version__,
        where="the sandbox" if report.sandbox else "Klaviyo",
        summary=words.summarize_run(report),
        exit_code=words.describe_exit_code(report.run),
        duration=words.format_run_duration(report.run),
        plan=select_figures(PLAN_FIGURES, report.lists),
        outcomes=select_figures(OUTCOME_FIGURES, report.lists),
        segment_labels=_SEGMENT_LABELS,
        severities=_RECEIPT_SEVERITIES,
        **_chart_variables(runs),
    )


def render_index(
    newest: Report, runs: Sequence[ReportedRun], trends: Sequence[ListTrend], links: PageLinks
) -> str:
    """Return the page of all runs, newest first, with all values escaped."""
    return _ENVIRONMENT.get_template("index.html.j2").render(
        report=newest,
        runs=runs,
        trends=sorted(trends, key=lambda trend: trend.newest.label.key in newest.ended_lists),
        links=links,
        version=__version__,
        where="the sandbox" if newest.sandbox else "Klaviyo",
        **_chart_variables([*reversed(runs)]),
    )


def render_list_page(newest: Report, history: ListHistory, links: PageLinks) -> str:
    """Return the page of a list over all runs, with all values escaped. `newest` reports the newest run."""
    summaries = [run.lists[0] for run in history.runs]
    return _ENVIRONMENT.get_template("list.html.j2").render(
        report=newest,
        trend=history.trend,
        ended=newest.ended_lists.get(history.trend.newest.label.key),
        runs=history.runs,
        rows=history.rows,
        rejections=[row for row in newest.rejections if row.label.key == history.trend.newest.label.key],
        figures=(
            *select_figures(PLAN_FIGURES, summaries),
            *select_figures(OUTCOME_FIGURES, summaries),
        ),
        links=links,
        version=__version__,
        where="the sandbox" if newest.sandbox else "Klaviyo",
        **_chart_variables([*reversed(history.runs)]),
    )


def _chart_variables(runs: Sequence[ReportedRun]) -> dict[str, Any]:
    """Return the bars of runs, oldest first, and the measures of charts."""
    return {
        "bars": chart.build_run_bars(runs),
        "chart_width": chart.RUN_WIDTH * len(runs),
        "step": chart.RUN_WIDTH,
        "gap": chart.BAR_GAP,
        "half": chart.HALF_HEIGHT,
        "line_width": chart.LINE_WIDTH,
        "line_height": chart.LINE_HEIGHT,
    }


def _format_number(value: int) -> str:
    return f"{value:,}"


def _format_identity(identity: str) -> str:
    """Return an identity without its type; a masked one is returned unchanged."""
    is_typed = identity.startswith(KEY_PREFIX) or identity.partition(":")[0] in set(IdentifierType)
    return row_key_text(identity) if is_typed else identity


def _create_environment() -> Environment:
    environment = create_page_environment("reverse_etl.report")
    environment.filters |= {
        "n": _format_number,
        "when": words.format_time,
        "count_lists": words.count_lists,
    }
    environment.globals |= {
        "describe_list_state": words.describe_list_state,
        "describe_rows": words.describe_rows,
        "describe_run_ending": words.describe_run_ending,
        "describe_operation": words.describe_operation,
        "describe_receipt_state": words.describe_receipt_state,
        "split_list_bar": chart.split_list_bar,
        "format_identity": _format_identity,
    }
    return environment


_ENVIRONMENT: Final = _create_environment()
