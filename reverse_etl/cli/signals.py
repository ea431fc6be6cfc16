"""Signals that end the process: Ctrl-C (SIGINT) and the request of a supervisor (SIGTERM)."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from reverse_etl.cli.output.console import terminal
from reverse_etl.cli.output.streams import exit_now

if TYPE_CHECKING:
    from types import FrameType

GRACE_PERIOD_SECONDS = 4.0


class TerminationRequested(BaseException):
    """A signal asked the process to end. Not an Exception, so that no error handler catches it."""


class SignalHandler:
    """Ends the process on SIGINT and SIGTERM.

    A signal raises TerminationRequested in the main thread, which closes connections and files on its way
    out. If the main thread does not return to Python within GRACE_PERIOD_SECONDS, because of a long query or
    a reply that never comes, the process exits at once. That is as safe as a kill.
    """

    def __init__(self) -> None:
        self._signal_number = 0

    def install(self) -> None:
        """Install the handlers. Call it once, from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle_signal)
        read_fd, write_fd = os.pipe()
        os.set_blocking(write_fd, False)
        signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        Thread(target=_exit_after_grace_period, args=(read_fd,), name="signal-watch", daemon=True).start()

    @property
    def signal_received(self) -> bool:
        """Return whether a signal asked the process to end."""
        return bool(self._signal_number)

    def print_exit_message(self) -> int:
        """Print why the process ends, and return its exit code."""
        return _print_exit_message(self._signal_number)

    def _handle_signal(self, number: int, frame: FrameType | None) -> NoReturn:
        del frame
        self._signal_number = number
        raise TerminationRequested


def _exit_after_grace_period(read_fd: int) -> None:
    number = os.read(read_fd, 1)[0]
    time.sleep(GRACE_PERIOD_SECONDS)
    terminal.stop_progress_bars()
    exit_now(_print_exit_message(number))


def _print_exit_message(number: int) -> int:
    word = "Interrupted" if number == signal.SIGINT else "Terminated"
    terminal.print_exit_message(
        f"{word}. It is safe to run again: the next run settles unfinished rows first."
    )
    return 128 + number
