"""Runs a command as a process of its own, forked from a process that has already imported the program."""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import chdir
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.process import BaseProcess

_ROOT = Path(__file__).parents[2]
_BEGIN = multiprocessing.get_context("forkserver")
_LIBRARIES = ["sqlglot.generators.duckdb", "sqlglot.parsers.duckdb", "rich.table", "rich._emoji_codes"]
_BEGIN.set_forkserver_preload([*_LIBRARIES, "tests.cli.whole_program"])


SECONDS = 100.0  # longer than any command takes here


class Ended(NamedTuple):
    """The result of a process: stdout, stderr, and its exit code, minus the signal if one killed it."""

    out: str
    err: str
    code: int


def run_program(
    arguments: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    started: Callable[[BaseProcess], object] = lambda _: None,
) -> Ended:
    """Run the program to its end. `started` gets the process, to kill it."""
    out, err = folder.parent / f"{folder.name}.out", folder.parent / f"{folder.name}.err"
    with chdir(_ROOT):  # a project's folder may hold a folder `reverse_etl`, which would be imported instead
        forkserver.ensure_running()
    process = _BEGIN.Process(target=_program, args=(arguments, folder, dict(environ), out, err))
    process.start()
    started(process)
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode is not None
    return Ended(out.read_text("utf-8"), err.read_text("utf-8"), process.exitcode)


def _program(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], out: Path, err: Path
) -> None:
    for number, stream, path in ((1, sys.stdout, out), (2, sys.stderr, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["reverse-etl", *arguments]
    from reverse_etl.cli import main  # noqa: PLC0415 - here the program begins

    main()
