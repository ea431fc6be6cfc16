"""Progress bars on a terminal: one per list and kind of change."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from reverse_etl.domain.progress import ClearProgress, JobProgress, Progress, RemoveProgress, SendProgress
from reverse_etl.formatting import escape_unsafe, format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPEED_SECONDS: Final = 30.0  # the time whose rows are the speed
_Key = tuple[str, str, str]  # model, list, and the kind of change; "" for adds and updates


class ProgressBars:
    """The progress bars, and lines printed above them."""

    def __init__(self, bars: rich.progress.Progress) -> None:
        self._bars = bars
        self._tasks: dict[_Key, rich.progress.TaskID] = {}

    def show_progress(self, progress: Progress) -> bool:
        """Update a bar. Returns whether progress bars show this kind of progress."""
        match progress:
            case SendProgress(model, name, rows, total):
                self._advance((model, name, ""), rows, total, "sending")
            case JobProgress(model, name, jobs):
                self._note_jobs((model, name, ""), jobs)
            case ClearProgress(model, name, rows, total):
                self._advance((model, name, "clears"), rows, total, "clearing")
            case RemoveProgress(model, name, rows, total):
                self._advance((model, name, "removals"), rows, total, "removing")
            case _:
                return False
        return True

    def refresh(self) -> None:
        """Draw the bars now."""
        self._bars.refresh()

    def stop(self) -> None:
        """Draw the bars for the last time, and show the cursor again."""
        self._bars.stop()

    def print_line(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _advance(self, key: _Key, rows: int, total: int, note: str) -> None:
        """Move a bar to a number of rows; it is added with the first."""
        if key not in self._tasks:
            model, name, kind = key
            description = escape_unsafe(name or model) + (f": {kind}" if kind else "")
            self._tasks[key] = self._bars.add_task(description, total=total, note="")
        self._bars.update(self._tasks[key], completed=rows, note=note if rows < total else "")

    def _note_jobs(self, key: _Key, jobs: int) -> None:
        """Say behind a list's bar how many imports Klaviyo works on; how long they take is not known."""
        if key in self._tasks:
            note = f"{format_count(jobs, 'import')} under way" if jobs else "settled"
            self._bars.update(self._tasks[key], note=note)


class _SpeedColumn(ProgressColumn):
    """The rows a second of the last half minute, and how long the rest takes at that speed."""

    def render(self, task: rich.progress.Task) -> Text:
        """Return the text; it is empty while the speed is unknown, and once all rows are done."""
        elapsed, speed = task.elapsed or 0.0, task.speed
        if elapsed < _SPEED_SECONDS:  # the first requests end almost at once, together
            speed = task.completed / elapsed if elapsed >= 1 else None
        if task.finished or not speed or task.remaining is None:
            return Text("")
        left = timedelta(seconds=round(task.remaining / speed))
        return Text(f"{speed:,.0f} rows/s, {left} left")


@contextmanager
def show_progress_bars(
    console: Console | None = None, get_time: Callable[[], float] | None = None
) -> Iterator[ProgressBars]:
    """Show progress bars inside this context, by default on stderr; their final state stays visible."""
    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _SpeedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with rich.progress.Progress(*columns, console=console or Console(stderr=True), get_time=get_time) as bars:
        yield ProgressBars(bars)
