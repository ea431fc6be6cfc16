"""The cost of a night for a warehouse, and of the start of a command: `python -m benchmarks.cost`.

The counts are those that a test checks. CPU seconds are of whole processes, as ratios to a process that only
imports DuckDB and requests, measured in turn. The ratios of whole runs are those that `run.py` measured last.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.measure import ENVIRONMENT
from tests.core.costs import SELECT, measure, work_through
from tests.core.rounds import add_models, count_rounds
from tests.core.rows import BY_EMAIL, become
from tests.core.updated_at_costs import copies, measure_updated_at
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS: Final = Path(__file__).parent / "cost.md"
RATIOS: Final = Path(__file__).parent / "ratios.json"
ROUNDS: Final = 5
MODELS: Final = 20
BARE: Final = (sys.executable, "-c", "import duckdb, requests")
LIBRARIES: Final = f"{BARE[-1]}, sqlglot.dialects.duckdb, pydantic.main, jinja2, yaml, click, orjson"
COMMANDS: Final = ("plan", "status", "ls", "--help")

PEAKS: Final = tuple(
    f"peak memory, MB, at a limit of 128 MB, 100,000 to {rows} rows" for rows in ("3,000,000", "10,000,000")
)

# The figures of 2026-11-30, before the work on them began.
BEFORE: Final = {
    "statements, plan of one model, nothing changed": "31",
    "statements, run overhead": "24",
    "statements, further model, nothing changed": "35",
    "statements, further model, with changes": "90",
    "statements more with 0.1 % malformed rows, nothing changed": "10",
    "statements more with 0.2 % rows of a shared id, nothing changed": "9",
    "statements more with a journal, one model with changes": "2",
    "statements that store 1 M members to compare": "1000",
    "rounds, 20 models, nothing changed, one at a time": "724",
    "rounds, 20 models, nothing changed, `threads: 4`": "724",
    "rounds, 20 models, nothing changed, `threads: 20`": "724",
    "rows read, nothing changed": "6.4",
    "rows written, nothing changed": "2",
    "rows read, nothing changed, 0.1 % malformed": "17.4",
    "rows read, nothing changed, 0.2 % of a shared id": "12",
    "rows written, nothing changed, 0.2 % of a shared id": "2.4",
    "rows read, 0.1 % changed": "23.8",
    "rows written, 0.1 % changed": "2",
    "rows read of 20 columns, nothing changed": "3.5",
    "rows written of 20 columns, nothing changed": "1.2",
    "rows read of 20 columns, 0.1 % changed": "9.6",
    "rows written of 20 columns, 0.1 % changed": "1.2",
    "`plan`": "4.1",
    "`status`": "3.7",
    "`ls`": "3.4",
    "`--help`": "0.3",
    "nothing changed, 1,000,000 rows, over start-up + key join": "1.9",
    "first send of 100,000 rows over the floor, CPU": "2.6",
    "first send of 1,000,000 rows over the floor, CPU": "2.1",
    **dict.fromkeys(PEAKS, "251 to 373"),
}
GOALS: Final = {
    "statements, run overhead": "12",
    "statements, further model, nothing changed": "8",
    "statements, further model, with changes": "30",
    "statements more with 0.1 % malformed rows, nothing changed": "0",
    "statements more with 0.2 % rows of a shared id, nothing changed": "0",
    "statements more with a journal, one model with changes": "2",
    "statements that store 1 M members to compare": "an upload",
    "rounds, 20 models, nothing changed, `threads: 4`": "those of 5",
    "rounds, 20 models, nothing changed, `threads: 20`": "those of 1",
    "rows read, nothing changed": "1",
    "rows written, nothing changed": "keys only",
    "rows read, nothing changed, 0.1 % malformed": "1",
    "rows read, nothing changed, 0.2 % of a shared id": "1",
    "rows written, nothing changed, 0.2 % of a shared id": "keys only",
    "rows read, 0.1 % changed": "3",
    "rows written, 0.1 % changed": "0.1",
    "rows read of 20 columns, nothing changed": "1",
    "rows written of 20 columns, nothing changed": "keys only",
    "rows read of 20 columns, 0.1 % changed": "3",
    "rows written of 20 columns, 0.1 % changed": "0.1",
    "`plan`": "1.5",
    "nothing changed, 1,000,000 rows, over start-up + key join": "1.3",
    "first send of 100,000 rows over the floor, CPU": "1.5",
    "first send of 1,000,000 rows over the floor, CPU": "1.5",
    **dict.fromkeys(PEAKS, "flat within 10 %"),
}

_PAGE = """# The cost of a night

`make bench-cost` writes this page.

## Counts

Counted at DuckDB's adapter: one model of 3 columns and 1,000 rows with two identifiers, whose list is in
Klaviyo's sandbox, and then another one beside it. A changed night adds one person, updates one and removes
one. Statements are all that the adapter runs, also those that begin and end transactions, without those of
the lease. Rows are values read or written, over those that the model has: 1 is the model's table once, with
its 3 columns, or the same with 20. A value counts as read if its table is scanned for its column, whether or
not the engine skips it. A NULL is no value, since it takes no room: not where it is read, and not where it is
written to a scratch table. The figures before count the NULLs that were read. A round is one statement of
each model that is at work, as on Snowflake, which runs them at the same time: at 150 ms a statement, 100
rounds are 15 seconds.

{counts}

## With `updated_at`

Counted as above, of a model of 20 columns, without rows that left. `updated_at` pays in nights without a
change. When rows changed, the table is read a second time, with all of its columns, to find them: so a night
with changes costs more than without `updated_at`, unless the warehouse skips the parts of tables that a join
with few rows does not need, as both do in part. Parts that are skipped count here as read.

{updated_at}

## A model of 100 M rows

The same for 100 M rows of 20 columns, 2,000 M values: values grow with the rows. A value has some bytes in
your warehouse, which reads some bytes a second: docs/snowflake.md says where to find both. A model is skipped
with `skip_unchanged`; what it reads are the snapshot's list ids, to count its rows.

| | Values read | Values written |
| --- | ---: | ---: |
{worked}

## Start of a command

CPU seconds of a process, over those of `python -c "import duckdb, requests"`, which took {bare:.2f} s:
medians of {rounds}, measured in turn. The model's table is empty, and Python's caches are warm.

{starts}

## Whole runs

Measured on {date}, in CPU seconds; `results.md` has them, and says what start-up, key join and floor are.
The ratios before are of the program before its packages were rearranged, on the same machine.

{runs}

## Missed goals

- Malformed rows: one statement counts them by their reasons, and says which are new. It joins what was staged
  with what was reported, so that no other statement can count them, and it is not run without such rows.
- Rows read, nothing changed: the model once, the snapshot once, as values and not as hashes, and the key,
  identifiers and flags of the staged rows once, for all counts. Of 3 columns two are identifiers: row key,
  identifier and a flag of the staged rows are 1 more, and with its row key and times the snapshot is 1.7.
- Rows read, 0.1 % changed: besides, the keys of both for the rows that left; identifiers of the snapshot, for
  those that another row has at Klaviyo; the keys of the staged rows, for the values to send; the snapshot,
  for the rows to replace. They find few rows, but scan 23 to 30 values, most of keys, for each row of a
  model: 7.7 times a table of 3 columns, 1.5 times one of 20. If a changed row has a NULL, its column of the
  snapshot is read besides, since the old value stays.
- A shared id: such a row is sent without it, which no comparison with what was staged can show, so that all
  rows are compared once more. The ids of several rows and these rows are in small tables, which later
  statements join; no staged row changes.
- Rows written: the row key, its list, the identifiers and two flags of each row, which checks, protection and
  guards need: 6 values, twice a table of 3 columns. Staged rows change only where equal rows are merged, rows
  with `updated_at` or with other uncertain rows get their values, or another model deletes people. Such
  people are found by each of their identifiers, also in rejected rows: a table beside the rows would have to
  be joined by all of them in every later statement. Models with several lists, events, values to clear,
  uncertain rows, or rows that Klaviyo refused are staged in full.
- Start: no model compiles without sqlglot, pydantic, Jinja and PyYAML, whose import alone misses the goal.
  Almost half of the rest is spent on 270 dataclasses, whose methods Python compiles at each start.
- Nothing changed: the least that a run does takes 0.65 s of CPU, measured part by part: the pattern of an
  e-mail, one join that compares, the keys written, and two counts of what is distinct. With the start that is
  1.8 of the start and the key join. A shorter start makes this ratio greater.
- First send: reading, encoding and sending takes as much as the floor. The rest is DuckDB, which stages the
  rows, stores them as deltas before they are sent, so that a run may be killed, and then as the snapshot.
- Memory: from 1,000,000 rows on it is flat: DuckDB fills its limit, and about 200 MB are code, the rows
  that are encoded, and requests in flight. 100,000 rows do not fill the limit.
"""


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(World(Path(folder) / "counts")) as world:
            figures = measure(world).figures
        with closing(World(Path(folder) / "rounds")) as world:
            counts = measure_rounds(world)
        with closing(World(Path(folder) / "wide")) as world:
            updated_at = tabulate_updated_at(world)
        with closing(World(Path(folder) / "starts")) as world:
            bare, *starts = measure_starts(world)
    counts = {name: f"{figure:g}" for name, figure in figures.items()} | counts
    names = (*(f"`{command}`" for command in COMMANDS), "the libraries of `plan`, and nothing else")
    ratios = {name: f"{start / bare:.1f}" for name, start in zip(names, starts, strict=True)}
    runs = json.loads(RATIOS.read_text())
    text = _PAGE.format(
        counts=_table(counts),
        updated_at=updated_at,
        worked="\n".join(work_through(figures)),
        bare=bare,
        rounds=ROUNDS,
        starts=_table(ratios),
        date=runs.pop("date"),
        runs=_table(runs),
    )
    RESULTS.write_text(text)
    print(text)


def tabulate_updated_at(world: World) -> str:
    """Return the table of what a wide model costs without and with `updated_at`."""
    lines = ["| | Without | With `updated_at` |", "| --- | ---: | ---: |"]
    for name, (without, with_it) in measure_updated_at(world).items():
        figures = {
            "rows read": (copies(without.read), copies(with_it.read)),
            "rows written": (copies(without.written), copies(with_it.written)),
            "statements of a run": (without.statements, with_it.statements),
        }
        lines += [f"| 20 columns, {text}, {name} | {a:g} | {b:g} |" for text, (a, b) in figures.items()]
    return "\n".join(lines)


def measure_rounds(world: World) -> dict[str, str]:
    """Return the rounds of statements of a run of MODELS models, by how many run at the same time."""
    add_models(world, range(MODELS))
    return {
        f"rounds, {MODELS} models, nothing changed, {text}": str(count_rounds(world, threads))
        for threads, text in ((1, "one at a time"), (4, "`threads: 4`"), (MODELS, f"`threads: {MODELS}`"))
    }


def measure_starts(world: World) -> list[float]:
    """Return the CPU seconds of a bare process, of each command on an empty model, and of its libraries."""
    become(world, [])
    world.model("members", SELECT, identifiers=BY_EMAIL)
    world.profile()
    program = str(Path(sys.executable).parent / "reverse-etl")
    processes = [BARE, *((program, command) for command in COMMANDS), (*BARE[:-1], LIBRARIES)]
    rounds = [[_cpu_seconds(process, world.folder) for process in processes] for _ in range(ROUNDS + 1)]
    return [median(seconds) for seconds in zip(*rounds[1:], strict=True)]


def _cpu_seconds(command: Sequence[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 3}:  # 3: the guard for empty models stops the plan
        raise SystemExit(f"{command}: {done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _table(figures: dict[str, str]) -> str:
    lines = ["| | Today | Goal | Before |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {name} | {figure} | {GOALS.get(name, '')} | {BEFORE.get(name, '')} |"
        for name, figure in figures.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
