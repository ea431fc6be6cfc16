"""Progress bars on a terminal, one per list."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn

from reverse_etl.domain.progress import ClearProgress, JobProgress, Progress, RemoveProgress, SendProgress
from reverse_etl.formatting import escape_unsafe, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProgressBars:
    """The progress bars, and lines printed above them."""

    def __init__(self, bars: rich.progress.Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def show_progress(self, progress: Progress) -> bool:
        """Update a bar. Returns whether progress bars show this kind of progress."""
        match progress:
            case SendProgress(model, name, rows, total):
                self._bars.update(self._get_task(model, name, total), completed=rows, note="sending")
            case JobProgress(model, name, jobs):
                note = f"{format_count(jobs, 'import')} under way" if jobs else "settled"
                self._bars.update(self._get_task(model, name, None), note=note)
            case ClearProgress(model, name, rows, total):
                self._bars.update(self._get_task(model, name, None), note=f"cleared {rows:,} of {total:,}")
            case RemoveProgress(model, name, rows, total):
                self._bars.update(self._get_task(model, name, total), note=f"removed {rows:,} of {total:,}")
            case _:
                return False
        return True

    def print_line(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _get_task(self, model: str, name: str, total: int | None) -> TaskID:
        key = (model, name)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(escape_unsafe(name or model), total=total, note="")
        return self._tasks[key]


@contextmanager
def show_progress_bars() -> Iterator[ProgressBars]:
    """Show progress bars on stderr inside this context; their final state stays visible."""
    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with rich.progress.Progress(*columns, console=Console(stderr=True)) as bars:
        yield ProgressBars(bars)
