"""stdout and stderr that may be closed while a command runs: it goes on, and later output is discarded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast


class SafeStream:
    """A wrapper around a text stream whose `write` and `flush` never raise OSError.

    `error` is the first error of the stream. A reader that stops early, such as `head`, is no error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or discard the text if the stream is closed."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._discard_output(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or discard the text if the stream is closed."""
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
    """Replace stdout and stderr, so that a closed pipe or a full disk does not end a run. Returns stdout."""
    stdout, stderr = (SafeStream(stream or _open_devnull()) for stream in (sys.stdout, sys.stderr))
    sys.stdout, sys.stderr = cast("TextIO", stdout), cast("TextIO", stderr)
    return stdout


def _open_devnull() -> TextIO:
    """Return a stream for a process that was started without stdout or stderr."""
    return Path(os.devnull).open("w", encoding="utf-8")


def exit_now(code: int) -> NoReturn:
    """Flush the output and end the process without cleanup.

    Call it after files and connections are closed: freeing the imported modules takes longer than many
    commands.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
