"""The page of a report: what it says of every kind of run, what it escapes, what it hides.

To write the page again: pytest tests/report --update-gold, then look at gold/report.html in a browser.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl import __version__
from reverse_etl.delivery.results import ListResult, collect_figures
from reverse_etl.domain.rejections import RejectionSource
from reverse_etl.planning.list_plan import ListPlan
from reverse_etl.planning.lists import ListRef
from reverse_etl.report import chart
from reverse_etl.report.document import report_document
from reverse_etl.report.figures import OUTCOME_FIGURES, PLAN_FIGURES
from reverse_etl.report.masking import mask_report
from reverse_etl.report.page import render_page
from reverse_etl.report.wording import (
    Severity,
    summarize_run,
)
from reverse_etl.state.runs import StopCause
from tests.report.cases import (
    KINDS,
    RUN,
    TEA,
    VIP,
    change_rejection,
    changed,
    everything,
    former,
    listed,
    proof,
    ran,
    receipt,
    report,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reverse_etl.report.facts import ListProof, ListSummary, Report, ReportedRun
    from tests.gold import Gold

PAGE = Path(__file__).parent / "gold" / "report.html"
EVIL = "<script>alert('x')</script>\"&"
MANY = 40
VOID = {"meta", "line", "rect", "circle", "polyline", "br"}  # which have no end tag, or end in themselves


class Outline(HTMLParser):
    """The elements of a page; raises if a tag is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that ends in itself."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a heading."""
        if self._open and self._open[-1] == "h2":
            self.headings.append(data)


def words(text: str) -> str:
    """Return a page as it reads: without tags, and one blank between words."""
    return " ".join(re.sub(r"<[^>]*>", " ", text.partition("</head>")[2]).split())


def test_the_page_is_the_gold_file(gold: Gold) -> None:
    """A change of the page shows in the gold file, and is looked at before it is kept."""
    shown = render_page(mask_report(everything())).replace(
        f"reverse-etl {__version__}", "reverse-etl <version>"
    )
    gold.check(PAGE, shown)


def test_the_sections_are_in_order() -> None:
    """Outcome, changes, rejections, proof, rows not found, earlier runs."""
    assert Outline(render_page(everything())).headings == [
        "Lists",
        "Why lists stopped",
        "Why the dbt gate held models back",
        "Proof: responses from Klaviyo",
        "Rejections by reason",
        "Removals not found",
        "Earlier runs",
        "Notes as of today",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_any_run_is_complete_and_self_contained(kind: str) -> None:
    """Every tag is closed in its place; no script, no picture, no link, no address."""
    shown = render_page(KINDS[kind])
    outline = Outline(shown)
    assert not {"script", "link", "img", "iframe", "a", "object", "base"} & {*outline.tags}
    assert not {"src", "href", "onclick", "onload"} & {name for name, _ in outline.attributes}
    assert not re.search(r"https?://|url\(|@import", shown)
    assert "default-src 'none'" in shown
    assert "None" not in words(shown)


@pytest.mark.parametrize(
    ("kind", "tone", "headline"),
    [
        ("everything", Severity.ERROR, "1 of 3 lists and models stopped early."),
        ("changes", Severity.OK, "All changes are in Klaviyo."),
        ("a sandbox", Severity.OK, "All changes are in the sandbox."),
        ("nothing changed", Severity.OK, "Nothing changed, so nothing was sent."),
        ("known rejections", Severity.OK, "Nothing changed, so nothing was sent."),
        ("new rejections", Severity.WARNING, "This run finished, but some rows need attention."),
        ("held", Severity.WARNING, "This run finished, but some rows need attention."),
        ("a limit", Severity.OK, "All rows that --limit allowed are in Klaviyo."),
        ("no list", Severity.OK, "There was no list to update."),
        ("a refused run", Severity.ERROR, "Nothing was sent: a guard stopped this run."),
        ("an open run", Severity.PENDING, "This run has not finished."),
        ("an unsettled run", Severity.PENDING, "This run ended before Klaviyo had processed everything."),
        ("an unsettled run that failed", Severity.ERROR, "1 of 1 list stopped early."),
        ("a settled run", Severity.PENDING, "This run ended before Klaviyo had processed everything."),
        ("a dead run", Severity.WARNING, "This run was interrupted."),
    ],
)
def test_the_outcome_of_a_run_is_one_sentence(kind: str, tone: Severity, headline: str) -> None:
    summary = summarize_run(KINDS[kind])
    assert (summary.severity, summary.headline) == (tone, headline)
    page = render_page(KINDS[kind])
    assert f'<section class="summary {tone}">\n<div class="headline">{headline}</div>' in page


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("changes", "100 rows were added or updated and 20 rows were removed."),
        ("changes", "9,900 rows were already up to date."),
        ("known rejections", "2 rows rejected, none of them new. The reasons are below."),
        ("new rejections", "2 rows rejected (all new). The reasons are below."),
        ("some new rejections", "2 rows rejected (1 new). The reasons are below."),
        ("an opt-out beside known rejections", "2 rows rejected, none of them new. The reasons are below."),
        ("an opt-out beside known rejections", "Rejections and opt-outs by reason"),
        ("an opt-out beside known rejections", "refused, and people who opted out."),
        ("older rejections", "2 rows rejected. Later runs have replaced the reasons."),
        ("older rejections", "3 later runs have been recorded."),
        ("held", "3 rows held: somebody else may be concerned, such as a rejected row of the same person."),
        ("a limit", "7 rows left for a later run by --limit."),
        ("everything", "Stopped early: Tea club. The reasons are below; the next run continues from there."),
        (
            "a guard",
            (
                "Stopped by a guard before anything was sent: Tea club. The next run stops there too, "
                "unless the rows change or you allow it. The reasons are below."
            ),
        ),
        ("everything", "5 rows not sent."),
        ("everything", "60 rows not found on the list, so not removed."),
        ("an unsettled run", "The next run collects the pending results first."),
        ("an unsettled run", "50 rows accepted, but not finished when the run ended."),
        ("an unsettled run that failed", "50 rows unknown: their outcome was not known when the run ended."),
        ("a settled run", "A later run has collected the results that were pending."),
        ("a settled run", "There are no receipts: nothing was sent."),
        ("a dead run", "There are no receipts: nothing was sent, as far as is known."),
        (
            "an open run",
            "Rows of this run: 50 applied; 2,000 without a recorded reply, so they may not have been sent.",
        ),
        ("a sandbox", "Sandbox: nothing was sent to Klaviyo"),
        ("everything", "997 more receipts are not shown here."),
        ("everything", "59 more are not shown here"),
        ("everything", "The latest 5 of 412 are shown."),
        ("everything", "no counts recorded"),
        ("changes", "This is the first recorded run."),
    ],
)
def test_the_page_shows_every_fact(kind: str, sentence: str) -> None:
    assert sentence in words(render_page(KINDS[kind]))


def test_deferred_rows_are_not_shown_as_not_sent() -> None:
    assert "not sent." not in " ".join(summarize_run(KINDS["a limit"]).details)


@pytest.mark.parametrize(
    ("own", "state", "later", "told"),
    [
        (True, "ended", 0, "Rows that failed a check or that Klaviyo refused."),
        (
            False,
            "ended",
            2,
            "These are the present rejections, 2 runs later. The reasons at the end",
        ),
        (
            False,
            "refused",
            0,
            "A run that was stopped records no rejections. These are from",
        ),
    ],
)
def test_the_page_says_who_rejected_the_rows(own: bool, state: str, later: int, told: str) -> None:
    shown = replace(everything(), rejections_match_run=own, run=ran(state, 1), later_run_count=later)
    assert told in words(render_page(shown))


@pytest.mark.parametrize(
    ("figure", "heading"),
    [
        ("deferred", "deferred"),
        ("replaced", "replaced"),
        ("unmanaged", "unmanaged"),
        ("not_found", "not found"),
        ("unverified", "unverified"),
        ("pending", "pending"),
        ("opted_out", "opted out"),
        ("left_in_place", "left in place"),
        ("readmitted", "readmitted"),
        ("accepted", "accepted"),
        ("unknown", "unknown"),
        ("not_sent", "not sent"),
    ],
)
def test_a_rare_figure_has_a_column_only_if_it_occurs(figure: str, heading: str) -> None:
    column = f'data-h="{heading}"'
    assert column not in render_page(report(changed(), changed(TEA)))
    assert (
        render_page(report(changed(), changed(TEA, **{figure: 3}))).count(f"{column}>3</td>") == 2
    )  # and the sum


def test_every_count_belongs_to_exactly_one_figure() -> None:
    plan = ListPlan(ListRef("", "", ""), rows=0, snapshot_rows=0)
    told = [count for figure in (*PLAN_FIGURES, *OUTCOME_FIGURES) for count in figure.counts]
    assert sorted(told) == sorted(collect_figures(ListResult("vip", plan, {}, "", failed=False)))


def test_the_last_line_is_the_sum_of_the_lists() -> None:
    shown = words(render_page(report(changed(), changed(TEA))))
    assert "all 2 lists 10,000 9,980 60 40 20 9,900 100 20 0 0" in shown
    assert "all 1" not in words(render_page(report(changed())))


PLACED: dict[str, Callable[[Report, str], Report]] = {
    "project": lambda r, text: replace(r, project=text),
    "target": lambda r, text: replace(r, target=text),
    "account": lambda r, text: replace(r, account=text),
    "run id": lambda r, text: replace(r, run=replace(r.run, run_id=text)),
    "list of a run": lambda r, text: replace(r, lists=(changed(replace(VIP, name=text)),)),
    "model of a list": lambda r, text: replace(r, lists=(changed(replace(VIP, model=text)),)),
    "why a list stopped": lambda r, text: replace(
        r, lists=(replace(changed(), stop_cause=StopCause.FAILURE, reason=text),)
    ),
    "why a run was refused": lambda r, text: replace(r, refusal_reasons=(text,)),
    "list of a proof": lambda r, text: replace(r, proofs=(proof(replace(VIP, name=text), applied=1),)),
    "job": lambda r, text: replace(r, proofs=(_shown(job_id=text),)),
    "detail of a receipt": lambda r, text: replace(r, proofs=(_shown(detail=text),)),
    "list of a rejection": lambda r, text: _rejection(r, label=replace(VIP, name=text)),
    "code": lambda r, text: _rejection(r, code=text),
    "field": lambda r, text: _rejection(r, field=text),
    "detail of a rejection": lambda r, text: _rejection(r, detail=text),
    "columns of a duplicate": lambda r, text: _rejection(
        r, source=RejectionSource.CHECK, code="duplicate", detail=text
    ),
    "example": lambda r, text: _rejection(r, example=f"external_id:{text}"),
    "list of who is gone": lambda r, text: _gone(r, label=replace(VIP, name=text)),
    "who is gone": lambda r, text: _gone(r, identity=f"external_id:{text}"),
    "id of an earlier run": lambda r, text: replace(r, previous_runs=(_before(text),)),
    "note": lambda r, text: replace(r, notes=(text,)),
}
OURS = {"project", "target", "account", "run id", "job", "id of an earlier run", "model of a list"}


def _shown(**changes: Any) -> ListProof:
    return replace(proof(applied=1), shown_receipts=(replace(receipt(), **changes),))


def _rejection(found: Report, **changes: Any) -> Report:
    klaviyo = {"source": RejectionSource.KLAVIYO, "code": "invalid", "field": "email", "detail": "No."}
    return replace(found, rejections=(change_rejection(found.rejections[0], **(klaviyo | changes)),))


def _gone(found: Report, **changes: Any) -> Report:
    return replace(found, removals_not_found=(replace(found.removals_not_found[0], **changes),))


def _before(run_id: str) -> ReportedRun:
    return replace(former(1), run=replace(RUN, run_id=run_id))


@pytest.mark.parametrize("where", PLACED)
def test_foreign_text_is_escaped(where: str) -> None:
    """A list may be called by anything; a browser must not take it for a part of the page."""
    shown = render_page(mask_report(PLACED[where](everything(), EVIL)))
    assert "script>" not in shown.replace("&lt;script&gt;", "").replace("&lt;/script&gt;", "")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;" in shown
    assert "script" not in Outline(shown).tags


@pytest.mark.parametrize("where", sorted(PLACED.keys() - OURS))
@pytest.mark.parametrize("secret", ["ann.smith@shop.example.com", "+14155550100"])
def test_people_are_masked_unless_a_flag_shows_them(where: str, secret: str) -> None:
    """Neither on the page, wherever a browser keeps it, nor in the JSON."""
    known = PLACED[where](everything(), f"ask {secret}, please")
    assert secret in render_page(known)
    assert secret in str(report_document(known))
    assert secret not in render_page(mask_report(known))
    assert secret not in str(report_document(mask_report(known)))


def test_an_example_is_shown_as_the_command_line_masks_it() -> None:
    assert "<code>a**@@*******.com</code>" in render_page(mask_report(everything()))
    assert "<code>ann@@example.com</code>" in render_page(everything())
    assert "<code>b**@e******.com</code>" in render_page(mask_report(everything()))
    assert "<code>bob@example.com</code>" in render_page(everything())


@pytest.mark.parametrize(
    ("one", "widths"),
    [
        (listed(), {}),
        (listed(unchanged=3, applied=1), {"right": 75.0, "sent": 25.0}),
        (listed(unchanged=1, rejected_by_klaviyo=1, rejected_by_check=2), {"right": 25.0, "stop": 75.0}),
        (listed(held_at_lookup=1, held_at_plan=1, unknown=1, accepted=1, not_sent=1), {"wait": 100.0}),
        (listed(reason="It stopped.", held_at_plan=1, not_sent=1, unknown=2), {"wait": 50.0, "halt": 50.0}),
        (listed(unchanged=10_000_000, applied=1), {"right": 98.04, "sent": 1.96}),
    ],
)
def test_a_bar_is_visible_for_the_smallest_count(one: ListSummary, widths: dict[str, float]) -> None:
    """One of ten million is still seen, and the whole is a whole."""
    assert {part.kind: part.width for part in chart.split_list_bar(one)} == widths
    assert sum(widths.values()) == pytest.approx(100 if widths else 0, abs=0.1)


def test_the_chart_shows_a_quiet_day_beside_a_first_load() -> None:
    """Up what was applied, down what was removed; nothing where nothing was either."""
    runs = [
        former(2, lists=(listed(applied=1_000_000),)),
        former(1, lists=(listed(applied=1, removed=10_000),)),
    ]
    first, second = chart.build_run_bars([*runs])
    assert (first.applied_height, first.removed_height) == (chart.HALF_HEIGHT, 0)
    assert (second.applied_height, second.removed_height) == (2.0, 4.6)
    assert second.x - first.x == chart.RUN_WIDTH
    assert chart.build_run_bars([former(1), former(2)]) == ()


def test_a_list_has_a_line_of_its_rows_in_its_runs() -> None:
    """From the least to the greatest, the oldest first; level where nothing changed."""
    summary = changed(rows=30)
    runs = [former(2, lists=(changed(rows=10), changed(TEA))), former(1), former(0, lists=(summary,))]
    assert chart.collect_row_history(summary, runs) == (10, 30)
    assert chart.compute_line_points((10, 30, 20)) == "2.0,18.0 36.0,2.0 70.0,10.0"
    assert chart.compute_line_points((1_000, 990)) == "2.0,9.2 70.0,10.8"  # one in a hundred is no cliff
    assert chart.compute_line_points((0, 0)) == "2.0,10.0 70.0,10.0"
    assert chart.compute_line_points((7, 7)) == "2.0,10.0 70.0,10.0"
    assert chart.compute_line_points((7,)) == ""


def test_a_page_of_forty_lists_stays_small() -> None:
    places = [replace(VIP, model=f"model_{n}", list_id=f"L{n}", name=f"List {n} " * 20) for n in range(MANY)]
    lists = [changed(place, rows=10_000_000, unchanged=9_999_950) for place in places]
    proofs = tuple(
        replace(proof(place, receipts=1_000, applied=10_000_000), shown_receipts=(receipt(place),) * 25)
        for place in places
    )
    shown = render_page(
        report(*lists, proofs=proofs, previous_runs=tuple(former(n, lists=tuple(lists)) for n in range(27)))
    )
    assert shown.count("10,000,000") >= 2 * MANY
    assert len(shown.encode()) < 600_000
