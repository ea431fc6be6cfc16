"""The page of results, as Markdown."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from measure import Figure, FirstSend, LaterRuns, Peak

MEGABYTE = 1_000_000

_PAGE = """# Benchmarks

Measured on {date} with {machine}. {versions}.
The load average was {load:.1f} at the end: over the number of cores, others took part of the machine, and CPU
seconds tell more than seconds.

Each figure is a whole process from its start to its end, unpaced, against a stub of Klaviyo on loopback that
only counts: medians of {rounds} rounds, in each of which all is measured in turn; memory at a limit once.
Klaviyo itself takes at most 25,000 rows a second (150 imports of 10,000 rows a minute). `make bench` writes
this page, and `make bench-long` with 10 million rows too.

## First send to a new list, 9 columns

The floor is DuckDB to tuples to encoded bodies to POSTs, with as many threads, and nothing else: no checks,
no diff, no state. Each 10,000 rows take two requests, an import and a read of its job's errors; six more are
of the account, the list and the state of the jobs.

{firsts}

## Runs on a list that has its rows

Start-up is what every run does before it looks at a row: import, compile, open the state, ask for the
account. The key join is a bare FULL OUTER JOIN of the warehouse's e-mails with the snapshot's, counted.
The ratio is of CPU seconds.

{laters}

## Memory of a first send at one limit of DuckDB's (goal: flat)

A process is DuckDB, up to its limit, and besides it what any run needs: about 95 MB of imported code, the
rows that are read and encoded at a time, and the requests in flight. 100,000 rows take less than the limit
holds.

{peaks}
"""


def page(firsts: Sequence[FirstSend], laters: Sequence[LaterRuns], peaks: Sequence[Peak], rounds: int) -> str:
    """Return the whole page."""
    return _PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=_machine(),
        versions=_versions(),
        load=os.getloadavg()[2],
        rounds=rounds,
        firsts=_table(_FIRSTS, (_first_send(one) for one in firsts)),
        laters=_table(_LATERS, (_later_runs(one) for one in laters)),
        peaks=_table(
            _PEAKS, ((one.memory_limit, _count(one.rows), *_time_and_memory(one.run)) for one in peaks)
        ),
    )


_FIRSTS = (
    "Rows",
    "Floor, s",
    "Run, s",
    "Run / floor (goal: 3)",
    "Floor, CPU s",
    "Run, CPU s",
    "Run / floor in CPU",
    "Rows / CPU s",
    "Requests",
    "Peak memory, MB",
)
_LATERS = (
    "Rows",
    "Start-up, s",
    "Key join, s",
    "Nothing changed, s",
    "Start-up, CPU s",
    "Key join, CPU s",
    "Nothing changed, CPU s",
    "/ (start-up + join) (goal: 1.3)",
    "1 % changed, s",
    "Rows sent",
    "Peak memory, MB",
)
_PEAKS = ("`memory_limit`", "Rows", "Run, s", "Peak memory of the process, MB")


def _first_send(one: FirstSend) -> tuple[str, ...]:
    seconds, memory = _time_and_memory(one.run)
    ratio = one.run.seconds / one.floor.seconds
    speed = _count(round(one.rows / one.run.cpu_seconds))
    return (
        _count(one.rows),
        f"{one.floor.seconds:.2f}",
        seconds,
        f"{ratio:.1f}",
        f"{one.floor.cpu_seconds:.2f}",
        f"{one.run.cpu_seconds:.2f}",
        f"{_send_ratio(one):.1f}",
        speed,
        _count(one.run.requests),
        memory,
    )


def _later_runs(one: LaterRuns) -> tuple[str, ...]:
    return (
        _count(one.rows),
        f"{one.start.seconds:.2f}",
        f"{one.join.inner:.2f}",
        f"{one.nothing.seconds:.2f}",
        f"{one.start.cpu_seconds:.2f}",
        f"{one.join.inner_cpu:.2f}",
        f"{one.nothing.cpu_seconds:.2f}",
        f"{_idle_ratio(one):.1f}",
        f"{one.changed.seconds:.2f}",
        _count(one.changed.rows),
        _time_and_memory(one.nothing)[1],
    )


def _send_ratio(one: FirstSend) -> float:
    return one.run.cpu_seconds / one.floor.cpu_seconds


def _idle_ratio(one: LaterRuns) -> float:
    return one.nothing.cpu_seconds / (one.start.cpu_seconds + one.join.inner_cpu)


def ratios(firsts: Sequence[FirstSend], laters: Sequence[LaterRuns], peaks: Sequence[Peak]) -> dict[str, str]:
    """Return the figures that have a goal, by the name of their row in the page of costs, and their date."""
    least, most = (pick(one.run.peak_bytes for one in peaks) / MEGABYTE for pick in (min, max))
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        **{
            f"nothing changed, {_count(one.rows)} rows, over start-up + key join": f"{_idle_ratio(one):.1f}"
            for one in laters
        },
        **{
            f"first send of {_count(one.rows)} rows over the floor, CPU": f"{_send_ratio(one):.1f}"
            for one in firsts
        },
        f"peak memory, MB, at a limit of 128 MB, {_count(peaks[0].rows)} to {_count(peaks[-1].rows)} rows": (
            f"{least:.0f} to {most:.0f}"
        ),
    }


def _time_and_memory(figure: Figure) -> tuple[str, str]:
    return f"{figure.seconds:.2f}", f"{figure.peak_bytes / MEGABYTE:.0f}"


def _count(number: int) -> str:
    return f"{number:,}"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---:"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _machine() -> str:
    models = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    name = models[0].partition(":")[2].strip() if models else platform.processor() or platform.machine()
    memory = next((line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "")
    gigabytes = f", {int(memory.split()[1]) / 1e6:.0f} GB" if memory else ""
    return f"{os.cpu_count()} cores ({name}{gigabytes}, {platform.system()})"


def _versions() -> str:
    packages = ("reverse-etl", "duckdb", "orjson", "requests")
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
