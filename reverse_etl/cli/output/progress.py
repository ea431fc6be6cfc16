"""Progress bars on a terminal, one per list."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from reverse_etl.domain.events import ClearProgress, JobProgress, ProgressEvent, RemoveProgress, SendProgress
from reverse_etl.formatting import escape_unsafe, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProgressBars:
    """The progress bars, and lines printed above them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def show_event(self, event: ProgressEvent) -> bool:
        """Update a bar. Returns whether progress bars show this kind of event."""
        match event:
            case SendProgress(model, name, rows, total):
                self._progress.update(self._get_task(model, name, total), completed=rows, note="sending")
            case JobProgress(model, name, jobs):
                note = f"{format_count(jobs, 'import')} under way" if jobs else "settled"
                self._progress.update(self._get_task(model, name, None), note=note)
            case ClearProgress(model, name, rows, total):
                self._progress.update(
                    self._get_task(model, name, None), note=f"cleared {rows:,} of {total:,}"
                )
            case RemoveProgress(model, name, rows, total):
                self._progress.update(
                    self._get_task(model, name, total), note=f"removed {rows:,} of {total:,}"
                )
            case _:
                return False
        return True

    def print_line(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _get_task(self, model: str, name: str, total: int | None) -> TaskID:
        key = (model, name)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(escape_unsafe(name or model), total=total, note="")
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
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield ProgressBars(progress)
