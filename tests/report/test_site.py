"""The site of all runs: its pages link to each other, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

from reverse_etl.report.facts import ReportedRun
from reverse_etl.report.site import page_name, render_site
from reverse_etl.state.runs import StopCause
from tests.report.cases import RUN, TEA, VIP, former, listed, report
from tests.report.test_page import EVIL, Outline


def _pages(number: int = 3) -> dict[str, str]:
    """Return the files of a site of `number` runs, of which the oldest has no page; newest first."""
    runs = [replace(RUN, run_id=f"2026110{n}T060000-a1b2c3") for n in range(number, 0, -1)]
    reports = [report(run=run, lists=(listed(VIP, rows=10 * n),)) for n, run in enumerate(runs, start=1)]
    reported = [ReportedRun(one.run, one.lists) for one in reports]
    return dict(render_site(reports[:-1], reported))


def _links(page: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', page)


def test_pages_of_runs_link_to_their_neighbours_and_the_index() -> None:
    pages = _pages(4)
    newest, middle, oldest = (f"run_2026110{n}T060000-a1b2c3.html" for n in (4, 3, 2))
    assert [*pages] == [newest, middle, oldest, "index.html"]
    assert _links(pages[newest]) == ["index.html", middle]
    assert _links(pages[middle]) == ["index.html", oldest, newest]
    assert _links(pages[oldest]) == ["index.html", middle]


def test_a_page_lies_in_the_folder_whatever_the_id_in_the_state() -> None:
    assert page_name("../../../etc/x") == "run__________etc_x.html"


def test_the_index_links_to_each_page_and_names_each_run() -> None:
    pages = _pages(4)
    index = pages["index.html"]
    assert {*_links(index)} == {*pages} - {"index.html"}
    assert "20261101T060000-a1b2c3" in index  # which has no page
    assert "The newest 3 runs have a page." in index


def test_the_index_shows_each_list_as_its_newest_run_left_it() -> None:
    runs = [
        former(1, lists=(listed(VIP, rows=50),)),
        former(2, lists=(listed(VIP, rows=40), listed(TEA, rows=7))),
    ]
    index = dict(render_site([report(*runs[0].lists, run=runs[0].run)], runs))["index.html"]
    rows = re.findall(r'data-h="rows">(\d+)</td>', index)
    assert rows == ["7", "50"]  # by the names of the lists
    assert index.count("<polyline") == 1  # a single run makes no line


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
