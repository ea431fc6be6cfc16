"""All runs as a small static site: a page for each run and each list, and an index, for any web server."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.report.page import PageLinks, render_index, render_list_page, render_page
from reverse_etl.report.trends import collect_list_histories

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.report.facts import ListLabel, Report, ReportedRun

INDEX: Final = "index.html"
_INDEX_MARK: Final = b'<p class="over">reverse-etl runs'


def render_site(reports: Sequence[Report], runs: Sequence[ReportedRun]) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each file of the site.

    `reports` are the runs that get a page, newest first; `runs` are all runs of the index, newest first.
    """
    names = [page_name(report.run.run_id) for report in reports]
    histories = collect_list_histories(runs)
    links = PageLinks(
        index=INDEX,
        by_run={report.run.run_id: name for report, name in zip(reports, names, strict=True)},
        by_list={
            label.key: list_page_name(label)
            for label in (history.trend.newest.label for history in histories)
        },
    )
    for number, report in enumerate(reports):
        earlier = names[number + 1] if number + 1 < len(names) else ""
        neighbours = replace(links, earlier=earlier, later=names[number - 1] if number else "")
        yield names[number], render_page(report, neighbours)
    for history in histories:
        yield list_page_name(history.trend.newest.label), render_list_page(reports[0], history, links)
    yield INDEX, render_index(reports[0], runs, [history.trend for history in histories], links)


def is_own_index(content: bytes) -> bool:
    """Return whether a file is the index of a site, and so may be replaced."""
    return _INDEX_MARK in content


def page_name(run_id: str) -> str:
    """Return the file name of a run's page, which leads out of no folder, whatever the id in the state."""
    return f"run_{re.sub('[^A-Za-z0-9_-]', '_', run_id)}.html"


def list_page_name(label: ListLabel) -> str:
    """Return the file name of a list's page, one for each model and list."""
    words = re.sub("[^A-Za-z0-9_-]", "_", f"{label.model}_{label.list_id}")
    digest = hashlib.sha256(f"{label.model}\0{label.list_id}".encode(errors="surrogatepass")).hexdigest()[:8]
    return f"list_{words[:80]}_{digest}.html"
