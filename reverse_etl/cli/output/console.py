"""Logs: everything that goes to stderr, as lines, as progress bars on a terminal, or as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from reverse_etl.cli.output.log_entries import problem_document, progress_entry, request_entry
from reverse_etl.domain.progress import (
    ListCreated,
    ListDone,
    ListRead,
    ModelStaged,
    Progress,
    RecoveryStarted,
    SendProgress,
    StateMigrated,
    Warned,
)
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.formatting import escape_unsafe, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.cli.output.progress import ProgressBars
    from reverse_etl.errors import Problem, ReverseEtlError
    from reverse_etl.klaviyo.messages import RequestLogEntry

_SECOND_ATTEMPT = 2
_ERROR_LABEL = click.style("error ", fg="red", bold=True)


class LogFormat(StrEnum):
    """The format of the logs: text, text whose lines begin with the time in UTC, or JSON lines.

    `auto` is text on a terminal, and timed text elsewhere: a file or a pipe is read later.
    """

    AUTO = "auto"
    TEXT = "text"
    TIMED = "timed"
    JSON = "json"


class Terminal:
    """Logs on stderr: messages, errors, progress and requests. One per process."""

    def __init__(self) -> None:
        self._format = LogFormat.TEXT
        self._quiet = False
        self._verbose = False
        self._progress_bars: ProgressBars | None = None

    def configure(self, log_format: LogFormat, *, verbose: bool, quiet: bool) -> None:
        """Choose the format and the level of the logs."""
        if log_format is LogFormat.AUTO:
            log_format = LogFormat.TEXT if sys.stderr.isatty() else LogFormat.TIMED
        self._format, self._quiet, self._verbose = log_format, quiet, verbose

    @property
    def _json(self) -> bool:
        return self._format is LogFormat.JSON

    def info(self, text: str) -> None:
        """Print a line, unless quiet."""
        if not self._quiet:
            self._print_message("info", text)

    def warn(self, text: str) -> None:
        """Print a warning, even when quiet."""
        self._print_message("warning", text, click.style("warning ", fg="yellow", bold=True))

    def print_exit_message(self, text: str) -> None:
        """Print why the process ends early, even when quiet."""
        self._print_message("interrupted", text)

    def print_error(self, error: ReverseEtlError) -> None:
        """Print the problems of an error."""
        self.print_problems(error.problems, error.exit_code)

    def print_problems(self, problems: Sequence[Problem], exit_code: int) -> None:
        """Print each problem: what happened, where, and what to do next."""
        if self._json:
            documents = [problem_document(problem) for problem in problems]
            self._print_json("error", {"exit_code": exit_code, "problems": documents})
            return
        for problem in problems:
            self._print_line(problem.summary, label=_ERROR_LABEL)
            if problem.where:
                self._print_line(problem.where, label="   at ")
            if problem.hint:
                self._print_line(_indent_lines(problem.hint), label=" next ", keep="\n")

    def print_internal_error(self, trace: str) -> None:
        """Print a traceback of a bug in reverse_etl."""
        text = "This is a bug in reverse-etl. It is safe to run again. Please report the traceback above."
        if self._json:
            self._print_json("internal_error", {"text": text, "trace": trace})
        else:
            self._print_line(trace, keep="\n")
            self._print_line(text, label=_ERROR_LABEL)

    def print_progress(self, progress: Progress) -> None:
        """Log progress of a run; even when quiet, that a list stopped."""
        if isinstance(progress, Warned):
            self.warn(progress.text)
            return
        stop_text = _stop_text(progress)
        if self._json:
            if not self._quiet or stop_text:
                self._print_json(*progress_entry(progress))
        elif stop_text:
            self.warn(stop_text)
        elif not (self._progress_bars is not None and self._progress_bars.show_progress(progress)) and (
            text := _progress_text(progress)
        ):
            self.info(text)

    def show_progress(self, progress: Progress) -> None:
        """Show progress in the progress bars only, but warn if a list stopped."""
        if stop_text := _stop_text(progress):
            self.warn(stop_text)
        elif self._progress_bars is not None:
            self._progress_bars.show_progress(progress)

    def print_request(self, entry: RequestLogEntry) -> None:
        """Log a request when verbose; otherwise log only its first retry."""
        if self._verbose:
            self._print_verbose_request(entry)
        elif entry.attempt == _SECOND_ATTEMPT and (failure := _failure_text(entry)):
            self.info(f"Klaviyo did not answer {entry.method} {entry.path} ({failure}). Retrying.")

    @contextmanager
    def progress_bars(self) -> Iterator[None]:
        """Show progress bars inside this context, if stderr is a terminal."""
        if self._json or self._quiet or not sys.stderr.isatty():
            yield
            return
        from reverse_etl.cli.output.progress import show_progress_bars  # noqa: PLC0415 - only a terminal needs it

        with show_progress_bars() as progress_bars:
            self._progress_bars = progress_bars
            try:
                yield
            finally:
                self._progress_bars = None

    def stop_progress_bars(self) -> None:
        """Leave the terminal as it was before the bars, with its cursor, if the process ends inside them."""
        if self._progress_bars is not None:
            self._progress_bars.stop()

    def _print_verbose_request(self, entry: RequestLogEntry) -> None:
        if self._json:
            self._print_json(*request_entry(entry))
            return
        result = entry.status if entry.status is not None else entry.error
        attempt_text = f", attempt {entry.attempt}" if entry.attempt > 1 else ""
        self._print_line(f"  {entry.method} {entry.path} {result} {entry.seconds:.2f} s{attempt_text}")

    def _print_message(self, kind: str, text: str, label: str = "") -> None:
        if self._json:
            self._print_json(kind, {"text": text})
        else:
            self._print_line(text, label=label)

    def _print_line(self, text: str, *, label: str = "", keep: str = "") -> None:
        """Print a label, which may have a style, and a text, whose unsafe characters are escaped."""
        prefix = f"{format_epoch_seconds(time.time())}  " if self._format is LogFormat.TIMED else ""
        line = prefix + label + escape_unsafe(text, keep=keep)
        if self._progress_bars is not None:
            self._progress_bars.print_line(click.unstyle(line))
        else:
            click.echo(line, err=True)

    def _print_json(self, name: str, content: Mapping[str, object]) -> None:
        entry = {"timestamp": format_epoch_seconds(time.time()), "event": name, **content}
        print(json.dumps(entry, default=str), file=sys.stderr, flush=True)  # noqa: T201 - a log line


def _indent_lines(text: str) -> str:
    """Return a text with all lines after the first indented."""
    return text.replace("\n", "\n      ")


def _failure_text(entry: RequestLogEntry) -> str:
    """Return why an attempt failed, or '' if Klaviyo answered or only asked to wait."""
    if entry.status is None:
        return entry.error
    return f"status {entry.status}" if entry.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""


def _stop_text(progress: Progress) -> str:
    """Return why a list stopped, or '' if it did not."""
    match progress:
        case ListDone(model, name, _, reason) if reason:
            return f"{name or model} stopped: {reason}"
        case _:
            return ""


def _progress_text(progress: Progress) -> str:  # noqa: PLR0911 - one per kind of progress
    match progress:
        case StateMigrated(old_version, new_version, backup):
            return (
                f"The state is migrated from version {old_version} to {new_version}. "
                f"A copy of the old one is kept: {backup}"
            )
        case ModelStaged(model, rows, seconds):
            return f"{model}: {format_count(rows, 'row')} staged in {seconds:.1f} s"
        case RecoveryStarted(runs, jobs):
            return (
                f"Settling {format_count(runs, 'unfinished run')} first: "
                f"{format_count(jobs, 'known import job')}"
            )
        case ListCreated(name, list_id):
            return f"{name}: created the list ({list_id})"
        case SendProgress(model, name, rows, total):
            return f"{name or model}: processed {rows:,} of {format_count(total, 'row')}"
        case ListRead(model, name, members):
            return f"{name or model}: {format_count(members, 'member')} read"
        case ListDone(model, name, counts, _):
            outcomes = ", ".join(f"{rows:,} {outcome.replace('_', ' ')}" for outcome, rows in counts.items())
            return f"{name or model}: {outcomes or 'nothing to do'}"
        case _:  # only progress bars show these
            return ""


terminal = Terminal()
