"""Renders a report as one self-contained HTML page. Pure: the same facts give the same page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from reverse_etl import __version__
from reverse_etl.domain.identifiers import IdentifierType, split_identity
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.domain.rejections import by_klaviyo, told
from reverse_etl.formatting import counted
from reverse_etl.report import chart
from reverse_etl.report import wording as words
from reverse_etl.report.facts import Former
from reverse_etl.report.figures import ENDS, PLAN, shown

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.report.facts import Report

_PARTS: Final = {
    "right": "up to date",
    "sent": "added or updated",
    "wait": "held or pending",
    "stop": "rejected",
}
_TONES: Final = {
    ReceiptState.APPLIED: words.Tone.GOOD,
    ReceiptState.ACCEPTED: words.Tone.OPEN,
    ReceiptState.UNKNOWN: words.Tone.LOOK,
    ReceiptState.NOT_SENT: words.Tone.BAD,
}


def page(report: Report) -> str:
    """Return the page, with all values escaped. It masks nothing: see `hide`."""
    return _ENVIRONMENT.get_template("run.html.j2").render(
        report=report,
        version=__version__,
        where="the sandbox" if report.sandbox else "Klaviyo",
        verdict=words.verdict(report),
        meaning=words.meaning(report.run),
        lasted=words.lasted(report.run),
        plan=shown(PLAN, report.lists),
        ends=shown(ENDS, report.lists),
        words=_PARTS,
        tones=_TONES,
        **_pictures(report),
    )


def _pictures(report: Report) -> dict[str, Any]:
    """Return the coordinates of the charts: one of all runs, and each list's trend."""
    runs = [*reversed(report.before), Former(report.run, report.lists)]
    lines = [chart.line(chart.rows_of(one, runs)) for one in report.lists]
    return {
        "bars": chart.bars(runs),
        "lines": lines if any(lines) else [],
        "chart_width": chart.STEP * len(runs),
        "step": chart.STEP,
        "gap": chart.GAP,
        "half": chart.HALF,
        "line_width": chart.LINE_WIDTH,
        "line_height": chart.LINE_HEIGHT,
    }


def _number(value: int) -> str:
    return f"{value:,}"


def _who(identity: str) -> str:
    """Return an identity without its type; a masked one is returned unchanged."""
    named = identity.partition(":")[0] in set(IdentifierType)
    return split_identity(identity)[1] if named else identity


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reverse_etl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"n": _number, "when": words.when, "counted": counted}
    made.globals |= {
        "standing": words.standing,
        "ending": words.ending,
        "operation": words.operation,
        "parts": chart.parts,
        "told": told,
        "by_klaviyo": by_klaviyo,
        "who": _who,
    }
    return made


_ENVIRONMENT: Final = _environment()
