"""Ending before the end: Ctrl-C (SIGINT), and whoever looks after the process (SIGTERM)."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.streams import leave

if TYPE_CHECKING:
    from types import FrameType

PATIENCE_SECONDS = 4.0


class Stopped(BaseException):
    """The process was asked to end. Passes through everything that only mends errors."""


class Stops:
    """Watches for the signals that end a process, and sees to it that they do.

    A signal raises Stopped where the main thread is, so that what is under way is left in order. Where that
    thread does not come back to Python within a few seconds (a long query, a reply that does not come), the
    process ends as it is: as safe as any kill.
    """

    def __init__(self) -> None:
        self._number = 0

    def watch(self) -> None:
        """Begin to watch. From the main thread, once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        Thread(target=_end_soon, args=(reading,), name="stops", daemon=True).start()

    @property
    def asked(self) -> bool:
        """Return whether the process was asked to end."""
        return bool(self._number)

    def last_word(self) -> int:
        """Say why the process ends; returns its exit code."""
        return _last_word(self._number)

    def _stop(self, number: int, frame: FrameType | None) -> NoReturn:
        del frame
        self._number = number
        raise Stopped


def _end_soon(reading: int) -> None:
    number = os.read(reading, 1)[0]
    time.sleep(PATIENCE_SECONDS)
    leave(_last_word(number))


def _last_word(number: int) -> int:
    word = "Interrupted" if number == signal.SIGINT else "Terminated"
    talk.last(f"{word}. It is safe to run again: the next run settles what this one left open.")
    return 128 + number
