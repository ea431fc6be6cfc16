"""Talk: everything that goes to stderr, as lines, as progress bars on a terminal, or as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.output.events import event_entry, problem_document, request_entry
from reverse_etl.domain.events import Event, ListCreated, ListDone, ListRead, Recovering, Sending, Staged
from reverse_etl.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.cli.output.progress import Bars
    from reverse_etl.errors import Problem, ReverseEtlError
    from reverse_etl.klaviyo.messages import Exchange

_SECOND_TRY = 2


class Talk:
    """What the command line says besides its data. One for the process."""

    def __init__(self) -> None:
        self._json = False
        self._quiet = False
        self._verbose = False
        self._bars: Bars | None = None

    def set_up(self, *, as_json: bool, verbose: bool, quiet: bool) -> None:
        """Choose how to talk."""
        self._json, self._quiet, self._verbose = as_json, quiet, verbose

    def say(self, text: str) -> None:
        """Say a line, unless quiet."""
        if not self._quiet:
            self._say("note", text, text)

    def warn(self, text: str) -> None:
        """Say what to mind, even when quiet."""
        self._say("warning", text, click.style("warning ", fg="yellow", bold=True) + text)

    def last(self, text: str) -> None:
        """Say why the process ends before its time, even when quiet."""
        self._say("stopped", text, text)

    def error(self, error: ReverseEtlError) -> None:
        """Say what is wrong."""
        self.problems(error.problems, error.exit_code)

    def problems(self, problems: Sequence[Problem], exit_code: int) -> None:
        """Say of each problem what happened, where, and what to do next."""
        if self._json:
            documents = [problem_document(problem) for problem in problems]
            self._entry("error", {"exit_code": exit_code, "problems": documents})
            return
        for problem in problems:
            self._line(click.style("error ", fg="red", bold=True) + problem.what)
            if problem.where:
                self._line(f"   at {problem.where}")
            if problem.advice:
                self._line(f" next {_hung(problem.advice)}")

    def fault(self, trace: str) -> None:
        """Say that the program itself is at fault, and where."""
        text = (
            "This is a fault of reverse_etl itself. It is safe to run again; please report what stands above."
        )
        if self._json:
            self._entry("fault", {"text": text, "trace": trace})
        else:
            self._line(f"{trace}\n{click.style('error ', fg='red', bold=True)}{text}")

    def event(self, event: Event) -> None:
        """Tell what a run tells; even when quiet, that a list stopped."""
        stopped = _stopped(event)
        if self._json:
            if not self._quiet or stopped:
                self._entry(*event_entry(event))
        elif stopped:
            self.warn(stopped)
        elif not (self._bars is not None and self._bars.show(event)) and (text := _told(event)):
            self.say(text)

    def bar(self, event: Event) -> None:
        """Tell it with progress bars, or not at all; but say that a list stopped."""
        if stopped := _stopped(event):
            self.warn(stopped)
        elif self._bars is not None:
            self._bars.show(event)

    def exchange(self, exchange: Exchange) -> None:
        """Tell of one request when verbose; otherwise, once for each, that one is tried again."""
        if self._verbose:
            self._say_exchange(exchange)
        elif exchange.attempt == _SECOND_TRY and (failure := _failure(exchange)):
            self.say(f"Klaviyo does not answer {exchange.method} {exchange.path} ({failure}); trying again.")

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show progress bars inside, where stderr is a terminal."""
        if self._json or self._quiet or not sys.stderr.isatty():
            yield
            return
        from reverse_etl.cli.output.progress import bars  # noqa: PLC0415 - only a terminal needs it

        with bars() as shown:
            self._bars = shown
            try:
                yield
            finally:
                self._bars = None

    def _say_exchange(self, exchange: Exchange) -> None:
        if self._json:
            self._entry(*request_entry(exchange))
            return
        came = exchange.status if exchange.status is not None else exchange.fault
        again = f", try {exchange.attempt}" if exchange.attempt > 1 else ""
        self._line(f"  {exchange.method} {exchange.path} {came} {exchange.seconds:.2f} s{again}")

    def _say(self, kind: str, plain: str, text: str) -> None:
        if self._json:
            self._entry(kind, {"text": plain})
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        if self._bars is not None:
            self._bars.line(click.unstyle(text))
        else:
            click.echo(text, err=True)

    def _entry(self, event: str, content: Mapping[str, object]) -> None:
        entry = {"at": round(time.time(), 3), "event": event, **content}
        print(json.dumps(entry, default=str), file=sys.stderr, flush=True)  # noqa: T201 - a line of talk


def _hung(text: str) -> str:
    """Return a text whose lines after the first stand below it."""
    return text.replace("\n", "\n      ")


def _failure(exchange: Exchange) -> str:
    """Return why a try was in vain; '' where Klaviyo answered, or only asked to wait."""
    if exchange.status is None:
        return exchange.fault
    return f"it said {exchange.status}" if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""


def _stopped(event: Event) -> str:
    """Return why a list stopped, '' where it did not."""
    match event:
        case ListDone(model, name, _, reason) if reason:
            return f"{name or model} stopped: {reason}"
        case _:
            return ""


def _told(event: Event) -> str:  # noqa: PLR0911 - one per kind of event
    match event:
        case Staged(model, rows, seconds):
            return f"{model}: {counted(rows, 'row')} staged in {seconds:.1f} s"
        case Recovering(runs, jobs):
            return (
                f"Settling what {counted(runs, 'earlier run')} left open: {counted(jobs, 'known import job')}"
            )
        case ListCreated(name, list_id):
            return f"{name}: the list is created ({list_id})"
        case Sending(model, name, rows, of):
            return f"{name or model}: {rows:,} of {counted(of, 'row')} handed over"
        case ListRead(model, name, members):
            return f"{name or model}: {counted(members, 'member')} read"
        case ListDone(model, name, counts, _):
            ends = ", ".join(f"{rows:,} {outcome.replace('_', ' ')}" for outcome, rows in counts.items())
            return f"{name or model}: {ends or 'nothing to do'}"
        case _:  # what only bars show
            return ""


talk = Talk()
