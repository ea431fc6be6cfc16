"""All runs as a small static site: a page for each run, and an index. Files that any web server can serve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reverse_etl.report.page import PageLinks, render_index, render_page
from reverse_etl.report.trends import collect_trends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.report.facts import Report, ReportedRun

INDEX: Final = "index.html"
_INDEX_MARK: Final = b'<p class="over">reverse-etl runs'


def render_site(reports: Sequence[Report], runs: Sequence[ReportedRun]) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each file of the site.

    `reports` are the runs that get a page, newest first; `runs` are all runs of the index, newest first.
    """
    names = [page_name(report.run.run_id) for report in reports]
    for number, report in enumerate(reports):
        links = PageLinks(
            index=INDEX,
            earlier=names[number + 1] if number + 1 < len(names) else "",
            later=names[number - 1] if number else "",
            by_run={other.run.run_id: name for other, name in zip(reports, names, strict=True)},
        )
        yield names[number], render_page(report, links)
    links = PageLinks(by_run={report.run.run_id: name for report, name in zip(reports, names, strict=True)})
    yield INDEX, render_index(reports[0], runs, collect_trends(runs), links)


def is_own_index(content: bytes) -> bool:
    """Return whether a file is the index of a site, and so may be replaced."""
    return _INDEX_MARK in content


def page_name(run_id: str) -> str:
    """Return the file name of a run's page, which leads out of no folder, whatever the id in the state."""
    return f"run_{re.sub('[^A-Za-z0-9_-]', '_', run_id)}.html"
