"""Measurements, each in a fresh process of its own, against a stub in yet another one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
# Every user's second command finds the modules that the first one compiled.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Figure:
    """The measurements of one process: `seconds` from start to end, `inner` the part that it timed itself.

    `cpu_seconds` and `inner_cpu` are those of all its threads.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    rows: int = 0
    requests: int = 0
    inner: float = 0.0
    inner_cpu: float = 0.0


@dataclass(frozen=True)
class Place:
    """A folder with a warehouse and a project, and the port of the stub that it sends to."""

    folder: Path
    port: int

    def child(self, what: str) -> Figure:
        """Make one measurement of `child.py`."""
        before = self._counts()
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, str(HERE / "child.py"), what, str(self.folder), str(self.port)],
            check=True,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        seconds = time.perf_counter() - begun
        after, found = self._counts(), json.loads(done.stdout)
        sent = {name: after[name] - before[name] for name in after}
        return Figure(
            seconds,
            found["cpu"],
            found["peak"],
            sent["rows"],
            sent["requests"],
            found.get("inner", 0.0),
            found.get("inner_cpu", 0.0),
        )

    def shop(self, call: str) -> None:
        """Call a function of `shop.py` on the folder, in a process of its own."""
        program = f"from pathlib import Path; import shop; folder = Path({str(self.folder)!r}); shop.{call}"
        subprocess.run([sys.executable, "-c", program], check=True, cwd=HERE)

    def forget(self) -> None:
        """Remove the state, so that the next run sends every row."""
        (self.folder / "shop.reverse_etl.duckdb").unlink(missing_ok=True)

    def _counts(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/counts") as reply:
            return dict(json.load(reply))


@contextmanager
def place(rows: int, memory_limit: str | None = None) -> Iterator[Place]:
    """Make a warehouse of so many rows and a project on it, with a stub that serves meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="reverse_etl_bench_"))
    stub = subprocess.Popen(
        [sys.executable, str(HERE / "stub.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert stub.stdout is not None  # noqa: S101 - it is a pipe
        made = Place(folder, int(stub.stdout.readline()))
        made.shop(f"make_warehouse(folder, {rows})")
        made.shop(f"make_project(folder, {made.port}, {memory_limit!r})")
        yield made
    finally:
        stub.communicate()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class FirstSend:
    """A first send of all rows to a new list, beside its floor."""

    rows: int
    floor: Figure
    run: Figure


@dataclass(frozen=True)
class LaterRuns:
    """Runs on a list that has its rows already, beside a bare join of the keys and the start of a process."""

    rows: int
    start: Figure
    join: Figure
    nothing: Figure
    changed: Figure


def measure(rows: int, times: int) -> tuple[FirstSend, LaterRuns]:
    """Measure everything on one warehouse and return medians.

    Each round measures all in turn, so that what the machine does besides falls on all of them alike.
    """
    rounds: dict[str, list[Figure]] = {
        name: [] for name in ("floor", "first", "start", "join", "nothing", "changed")
    }
    with place(rows) as at:
        for _ in range(times):
            at.forget()
            rounds["floor"].append(at.child("floor"))
            rounds["first"].append(at.child("run"))
            rounds["join"].append(at.child("join"))
            rounds["start"].append(at.child("start"))
            rounds["nothing"].append(at.child("run"))
            at.shop("change(folder, 0.01)")
            rounds["changed"].append(at.child("run"))
    middle = {name: _middle(figures) for name, figures in rounds.items()}
    return (
        FirstSend(rows, middle["floor"], middle["first"]),
        LaterRuns(rows, middle["start"], middle["join"], middle["nothing"], middle["changed"]),
    )


@dataclass(frozen=True)
class Peak:
    """A first send with DuckDB's memory limited."""

    memory_limit: str
    rows: int
    run: Figure


def peak(rows: int, memory_limit: str) -> Peak:
    """Measure a first send when DuckDB may use so much memory."""
    with place(rows, memory_limit) as at:
        return Peak(memory_limit, rows, at.child("run"))


def _middle(figures: list[Figure]) -> Figure:
    return Figure(
        seconds=median(figure.seconds for figure in figures),
        cpu_seconds=median(figure.cpu_seconds for figure in figures),
        peak_bytes=round(median(figure.peak_bytes for figure in figures)),
        rows=figures[-1].rows,
        requests=figures[-1].requests,
        inner=median(figure.inner for figure in figures),
        inner_cpu=median(figure.inner_cpu for figure in figures),
    )
