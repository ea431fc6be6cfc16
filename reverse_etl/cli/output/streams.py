"""stdout and stderr that may be lost under way: what comes after goes nowhere, and the command goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast


class SafeStream:
    """A text stream whose `write` and `flush` never raise OSError; in all else the stream it was made of.

    `error` says why it took no more. A reader that leaves early, as `head` does, is no loss.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or drop what nobody can read."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._discard_output(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody can read."""
        try:
            self._stream.flush()
        except OSError as error:
            self._discard_output(error)

    def _discard_output(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            self.error = error
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, self._stream.fileno())
        os.close(devnull)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def install_safe_streams() -> SafeStream:
    """Let a run go on when nobody listens any more, or a disk is full. Returns what is stdout from now on."""
    stdout, stderr = (SafeStream(stream or _open_devnull()) for stream in (sys.stdout, sys.stderr))
    sys.stdout, sys.stderr = cast("TextIO", stdout), cast("TextIO", stderr)
    return stdout


def _open_devnull() -> TextIO:
    """Return a stream for a process that was started without one."""
    return Path(os.devnull).open("w", encoding="utf-8")


def exit_now(code: int) -> NoReturn:
    """End the process at once: to free piece by piece what was imported takes longer than many a command.

    For when files and connections are closed: nothing is tidied up. What was printed is written.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
