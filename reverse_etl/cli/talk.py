"""Talk: everything that goes to stderr, as plain lines, as progress bars on a terminal, or as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from reverse_etl.errors import ReverseEtlError
from reverse_etl.events import Event, ListCreated, ListDone, Recovering, Removing, Sending, Settling, Staged
from reverse_etl.klaviyo import Exchange


class Talk:
    """What the command line says besides its data. One for the process."""

    def __init__(self) -> None:
        self._json = False
        self._quiet = False
        self.verbose = False
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars: Progress | None = None
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def set_up(self, *, as_json: bool, verbose: bool, quiet: bool) -> None:
        """Choose how to talk."""
        self._json, self._quiet, self.verbose = as_json, quiet, verbose
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Say a line, unless quiet."""
        if self._quiet:
            return
        if self._json:
            self._line({"event": "note", "text": text})
        else:
            self._console.print(text, markup=False)

    def warn(self, text: str) -> None:
        """Say a line that matters, even when quiet."""
        if self._json:
            self._line({"event": "warning", "text": text})
        else:
            self._console.print(text, markup=False, style="yellow")

    def error(self, error: ReverseEtlError) -> None:
        """Say what is wrong: what happened, where, and what to do next."""
        if self._json:
            self._line(
                {
                    "event": "error",
                    "exit_code": error.exit_code,
                    "problems": [asdict(p) for p in error.problems],
                }
            )
            return
        for problem in error.problems:
            self._console.print("[bold red]error[/]", end=" ")
            self._console.print(problem.what, markup=False)
            if problem.where:
                self._console.print(f"   at {problem.where}", markup=False)
            if problem.advice:
                self._console.print(f" next {problem.advice}", markup=False)

    def event(self, event: Event) -> None:
        """Tell what a run tells."""
        if self._json:
            self._line({"event": type(event).__name__, **asdict(event)})
        elif self._bars is not None:
            self._advance_bars(self._bars, event)
        elif not self._quiet and (text := _told(event)):
            self._console.print(text, markup=False)

    def exchange(self, exchange: Exchange) -> None:
        """Tell of one request, when verbose."""
        if not self.verbose:
            return
        if self._json:
            self._line({"event": "Exchange", **asdict(exchange)})
        else:
            came = exchange.status if exchange.status is not None else exchange.fault
            again = f", try {exchange.attempt}" if exchange.attempt > 1 else ""
            self._console.print(
                f"  {exchange.method} {exchange.path} {came} {exchange.seconds:.2f} s{again}", markup=False
            )

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show progress bars inside, where stderr is a terminal."""
        if self._json or self._quiet or not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description:<32}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self._console) as bars:
            self._bars = bars
            try:
                yield
            finally:
                self._bars, self._tasks = None, {}

    def _advance_bars(self, bars: Progress, event: Event) -> None:
        match event:
            case Sending(model, name, rows, of):
                bars.update(self._bar(bars, model, name, of), completed=rows, note="sending")
            case Settling(model, name, jobs):
                bars.update(
                    self._bar(bars, model, name, None), note=f"{jobs} jobs under way" if jobs else "settled"
                )
            case Removing(model, name, rows, of):
                bars.update(self._bar(bars, model, name, None), note=f"removed {rows} of {of}")
            case ListDone(reason=reason) if not reason:
                pass
            case _:
                if text := _told(event):
                    bars.console.print(text, markup=False)

    def _bar(self, bars: Progress, model: str, name: str, total: int | None) -> TaskID:
        key = (model, name)
        if key not in self._tasks:
            self._tasks[key] = bars.add_task(name or model, total=total, note="")
        return self._tasks[key]

    def _line(self, entry: dict[str, object]) -> None:
        print(json.dumps({"at": round(time.time(), 3), **entry}, default=str), file=sys.stderr, flush=True)


def _told(event: Event) -> str:
    match event:
        case Staged(model, rows, seconds):
            return f"staged {model}: {rows:,} rows in {seconds:.1f} s"
        case Recovering(runs, jobs):
            return f"settling what {runs} earlier runs left open ({jobs} import jobs)"
        case ListCreated(name, list_id):
            return f"created the list {name!r} ({list_id})"
        case Sending(model, name, rows, of):
            return f"{name or model}: {rows:,} of {of:,} rows taken by Klaviyo"
        case ListDone(model, name, _, reason) if reason:
            return f"{name or model}: stopped: {reason}"
        case ListDone(model, name, counts, _):
            ends = ", ".join(f"{rows:,} {outcome.replace('_', ' ')}" for outcome, rows in counts.items())
            return f"{name or model}: {ends or 'nothing to do'}"
        case Settling() | Removing():
            return ""


talk = Talk()
