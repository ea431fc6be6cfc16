"""stdout and stderr whose reader may leave early, as `head` does: what comes after is written to nowhere."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO, cast


class Outlet:
    """A text stream that never raises BrokenPipeError. In all else it is the stream that it was made of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._turn_away()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._turn_away()

    def _turn_away(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def tolerate_leavers() -> None:
    """Let a run go on when nobody listens any more, and end with its own exit code."""
    sys.stdout = cast("TextIO", Outlet(sys.stdout))
    sys.stderr = cast("TextIO", Outlet(sys.stderr))
