"""Runs a command as a process of its own, forked from a process that has already imported the program."""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import chdir
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.process import BaseProcess

_ROOT = Path(__file__).parents[2]
_BEGIN = multiprocessing.get_context("forkserver")
_LIBRARIES = ["sqlglot.dialects.duckdb", "sqlglot.dialects.snowflake", "rich.table", "rich._emoji_codes"]
_BEGIN.set_forkserver_preload([*_LIBRARIES, "tests.cli.whole_program"])


SECONDS = 220.0  # longer than any command takes, however busy the machine; a test may take 240


class Ended(NamedTuple):
    """The result of a process: stdout, stderr, and its exit code, minus the signal if one killed it."""

    out: str
    err: str
    code: int


class Running:
    """A command that runs. Its output can be read while it runs, unless it goes to a file."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        *,
        stdout: IO[str] | int | None = None,
        stderr: IO[str] | int | None = None,
    ) -> None:
        """Start it. `stdout` and `stderr` are files, or None for a pipe."""
        self.stdout, out = _open_output(stdout)
        self.stderr, err = _open_output(stderr)
        self._process = _start((arguments, folder, dict(environ), out, err))
        out.close()
        err.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stdout.close()
        self.stderr.close()
        if any(error):
            self._process.kill()
        self._process.join()

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Return the exit code, minus the signal if one killed it, or None while it runs."""
        return self._process.exitcode

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        return _join(self._process)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def communicate(self) -> tuple[str, str]:
        """Wait for the end, and return what is left of stdout and stderr, which is little."""
        self.wait()
        return self.stdout.read(), self.stderr.read()


def run_program(
    arguments: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    started: Callable[[BaseProcess], object] = lambda _: None,
) -> Ended:
    """Run the program to its end. `started` gets the process, to kill it."""
    out, err = folder.parent / f"{folder.name}.out", folder.parent / f"{folder.name}.err"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        outputs = [Connection(os.dup(file.fileno()), readable=False) for file in (out_file, err_file)]
    process = _start((arguments, folder, dict(environ), *outputs))
    for output in outputs:
        output.close()
    started(process)
    code = _join(process)
    return Ended(out.read_text("utf-8"), err.read_text("utf-8"), code)


def _open_output(given: IO[str] | int | None) -> tuple[IO[str], Connection]:
    """Return a stream to read, which is empty for a given file, and what the process writes to."""
    if given is None:
        reader, writer = os.pipe()
    else:
        reader = os.open(os.devnull, os.O_RDONLY)
        writer = os.dup(given if isinstance(given, int) else given.fileno())
    return os.fdopen(reader, encoding="utf-8"), Connection(writer, readable=False)


def _start(arguments: tuple[object, ...]) -> BaseProcess:
    with chdir(_ROOT):  # a project's folder may hold a folder `reverse_etl`, which would be imported instead
        forkserver.ensure_running()
    process = _BEGIN.Process(target=_program, args=arguments)
    process.start()
    return process


def _join(process: BaseProcess) -> int:
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def _program(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], out: Connection, err: Connection
) -> None:
    for number, output in ((1, out), (2, err)):
        os.dup2(output.fileno(), number)
        output.close()
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["reverse-etl", *arguments]
    from reverse_etl.cli import main  # noqa: PLC0415 - here the program begins

    main()
