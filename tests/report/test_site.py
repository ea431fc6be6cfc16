"""The site of all runs: its pages link to each other, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

from reverse_etl.report.facts import ReportedRun
from reverse_etl.report.page import render_page
from reverse_etl.report.site import list_page_name, page_name, render_site
from reverse_etl.report.status import ListEnd
from reverse_etl.state.runs import StopCause
from reverse_etl.state.snapshot_matches import LastComparison
from tests.report.cases import EVERYBODY, RUN, TEA, VIP, former, listed, rejected, report
from tests.report.test_page import EVIL, Outline


def _pages(number: int = 3) -> dict[str, str]:
    """Return the files of a site of `number` runs, of which the oldest has no page; newest first."""
    runs = [replace(RUN, run_id=f"2026110{n}T060000-a1b2c3") for n in range(number, 0, -1)]
    reports = [report(run=run, lists=(listed(VIP, rows=10 * n),)) for n, run in enumerate(runs, start=1)]
    reported = [ReportedRun(made.run, made.lists) for made in reports]
    return dict(render_site(reports[:-1], reported))


def _links(page: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', page)


def test_pages_of_runs_link_to_their_neighbours_and_the_index() -> None:
    pages = _pages(4)
    newest, middle, oldest = (f"run_2026110{n}T060000-a1b2c3.html" for n in (4, 3, 2))
    vip = list_page_name(VIP)
    assert [*pages] == [newest, middle, oldest, vip, "index.html"]
    assert _links(pages[newest]) == ["index.html", middle, vip]
    assert _links(pages[middle]) == ["index.html", oldest, newest, vip]
    assert _links(pages[oldest]) == ["index.html", middle, vip]


def test_a_page_lies_in_the_folder_whatever_the_id_in_the_state() -> None:
    assert page_name("../../../etc/x") == "run__________etc_x.html"


def test_the_index_links_to_each_page_and_names_each_run() -> None:
    pages = _pages(4)
    index = pages["index.html"]
    assert {*_links(index)} == {*pages} - {"index.html"}
    assert "20261101T060000-a1b2c3" in index  # which has no page
    assert "The newest 3 runs have a page." in index


def test_a_list_has_a_page_of_its_runs_alone() -> None:
    runs = [
        former(1, lists=(listed(VIP, rows=50, applied=10), listed(TEA, rows=7))),
        former(2, lists=(replace(listed(VIP, rows=40), stop_cause=StopCause.GUARD, reason="Too many."),)),
        former(3, lists=(listed(TEA, rows=6),)),
    ]
    newest = report(*runs[0].lists, run=runs[0].run, rejections=(rejected(VIP), rejected(TEA, rows=77)))
    pages = dict(render_site([newest], runs))
    page = pages[list_page_name(VIP)]
    assert _links(page) == ["index.html", page_name(runs[0].run.run_id)]
    assert re.findall(r'data-h="rows">(\d+)</td>', page) == ["50", "40", "2"]  # the last of its rejection
    assert "from 40 to 50" in page
    assert "Too many." in page
    assert "77" not in page
    assert page.count("<polyline") == 1
    assert len({*pages}) == 4  # a run, two lists, the index


def test_models_without_lists_are_not_called_lists() -> None:
    lists = (listed(EVERYBODY, rows=3), listed(VIP, rows=2))
    assert "all 2 lists and models" in render_page(report(*lists))
    assert "without a list one row of the model" in render_page(report(*lists))
    alone = render_page(report(listed(EVERYBODY, rows=3)))
    assert "A row is one row of a model." in alone


def test_the_page_names_the_journal_if_one_is_kept() -> None:
    pages = [render_page(report(listed(VIP), has_journal=kept)) for kept in (False, True)]
    assert ["<code>journal</code>" in page for page in pages] == [False, True]


def test_the_index_shows_each_list_as_its_newest_run_left_it() -> None:
    runs = [
        former(1, lists=(listed(VIP, rows=50),)),
        former(2, lists=(listed(VIP, rows=40), listed(TEA, rows=7))),
    ]
    index = dict(render_site([report(*runs[0].lists, run=runs[0].run)], runs))["index.html"]
    rows = re.findall(r'data-h="rows">(\d+)</td>', index)
    assert rows == ["7", "50"]  # by the names of the lists
    assert index.count("<polyline") == 1  # a single run makes no line


def test_the_index_marks_lists_that_no_run_sends_to_any_more_and_has_them_last() -> None:
    runs = [former(1, lists=(listed(TEA), listed(VIP)))]
    newest = report(*runs[0].lists, run=runs[0].run, ended_lists={TEA.key: ListEnd.MODEL_DELETED})
    pages = dict(render_site([newest], runs))
    lists, _, _ = pages["index.html"].partition("<h2>Runs</h2>")
    assert lists.index("VIP customers") < lists.index("Tea club") < lists.index("model deleted")
    assert "No run sends to it any more: model deleted" in pages[list_page_name(TEA)]
    assert "any more" not in pages[list_page_name(VIP)]


def test_pages_say_that_a_model_was_skipped_and_why() -> None:
    """Each names the run that last compared its rows, and links to its page."""
    earlier, later = former(2, lists=(listed(VIP),)), former(1)
    skipped = replace(
        listed(VIP, rows=5, unchanged=5),
        skipped=LastComparison(earlier.run.run_id, earlier.run.started_at),
    )
    runs = [replace(later, lists=(skipped,)), earlier]
    reports = [report(*run.lists, run=run.run) for run in runs]
    pages = dict(render_site(reports, runs))
    why = f'nothing it reads has changed since run <a href="{page_name(earlier.run.run_id)}">'
    for name in (page_name(later.run.run_id), list_page_name(VIP)):
        assert why in pages[name]
        assert '<span class="state ok">skipped</span>' in pages[name]
    assert '<span class="state ok">skipped</span>' in pages["index.html"]
    assert (
        "5 rows were not read: nothing that the skipped models read has changed."
        in pages[page_name(later.run.run_id)]
    )
    assert "skipped" not in pages[page_name(earlier.run.run_id)]


def test_the_index_shows_that_a_list_stopped_without_a_sentence() -> None:
    """The cause says so, as everywhere else."""
    stopped = replace(listed(VIP), stop_cause=StopCause.UNKNOWN)
    runs = [former(1, lists=(stopped,))]
    index = dict(render_site([report(stopped, run=runs[0].run)], runs))["index.html"]
    assert '<span class="state error">stopped</span>' in index.partition("<h2>Runs</h2>")[0]


def test_the_pages_are_whole_and_escape_what_they_show() -> None:
    evil = replace(VIP, name=EVIL)
    run = ReportedRun(RUN, (listed(evil, rows=3),))
    pages = dict(render_site([report(project=EVIL, lists=run.lists)], [run]))
    for page in pages.values():
        Outline(page)
        assert "<script" not in page
        assert page.startswith("<!doctype html>")
        assert page.endswith("</html>\n")
