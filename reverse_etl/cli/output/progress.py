"""Progress bars on a terminal: one for each list that is being sent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from reverse_etl.domain.events import Event, Removing, Sending, Settling
from reverse_etl.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bars:
    """The bars, and the way to print lines above them while they move."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def show(self, event: Event) -> bool:
        """Move a bar. Returns whether the event is of those that bars show."""
        match event:
            case Sending(model, name, rows, of):
                self._progress.update(self._bar(model, name, of), completed=rows, note="sending")
            case Settling(model, name, jobs):
                note = f"{counted(jobs, 'import')} under way" if jobs else "settled"
                self._progress.update(self._bar(model, name, None), note=note)
            case Removing(model, name, rows, of):
                self._progress.update(self._bar(model, name, of), note=f"removed {rows:,} of {of:,}")
            case _:
                return False
        return True

    def line(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _bar(self, model: str, name: str, total: int | None) -> TaskID:
        key = (model, name)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(name or model, total=total, note="")
        return self._tasks[key]


@contextmanager
def bars() -> Iterator[Bars]:
    """Show progress bars on stderr inside; they stay as they are in the end."""
    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress)
