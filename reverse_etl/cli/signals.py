"""Ending before the end: Ctrl-C (SIGINT), and whoever looks after the process (SIGTERM)."""

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
    """The process was asked to end. Passes through everything that only mends errors."""


class SignalHandler:
    """Watches for the signals that end a process, and sees to it that they do.

    A signal raises Stopped where the main thread is, so that what is under way is left in order. Where that
    thread does not come back to Python within a few seconds (a long query, a reply that does not come), the
    process ends as it is: as safe as any kill.
    """

    def __init__(self) -> None:
        self._signal_number = 0

    def install(self) -> None:
        """Begin to watch. From the main thread, once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle_signal)
        read_fd, write_fd = os.pipe()
        os.set_blocking(write_fd, False)
        signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        Thread(target=_exit_after_grace_period, args=(read_fd,), name="stops", daemon=True).start()

    @property
    def signal_received(self) -> bool:
        """Return whether the process was asked to end."""
        return bool(self._signal_number)

    def print_exit_message(self) -> int:
        """Say why the process ends; returns its exit code."""
        return _print_exit_message(self._signal_number)

    def _handle_signal(self, number: int, frame: FrameType | None) -> NoReturn:
        del frame
        self._signal_number = number
        raise TerminationRequested


def _exit_after_grace_period(read_fd: int) -> None:
    number = os.read(read_fd, 1)[0]
    time.sleep(GRACE_PERIOD_SECONDS)
    exit_now(_print_exit_message(number))


def _print_exit_message(number: int) -> int:
    word = "Interrupted" if number == signal.SIGINT else "Terminated"
    terminal.print_exit_message(
        f"{word}. It is safe to run again: the next run settles what this one left open."
    )
    return 128 + number
