"""Runs tasks at the same time, each in a thread whose statements have cursors of their own in one session.

The connector's `execute_async` would do the same at a higher price: each statement then takes a request that
starts it, one or more that ask for its status, half a second apart, and a second statement (RESULT_SCAN) that
reads its result. A plain `execute` waits for its reply and holds no lock of the connection meanwhile: both
versions of the connector let threads share a connection (`threadsafety` is 2, "Python connector API").
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.warehouse.interface import ResultT


def count_threads(settings: Mapping[str, Any]) -> int:
    """Return the `threads` of an output, 1 without the key, as in dbt. Raises UsageError for other values."""
    threads = settings.get("threads")
    if threads is None:
        return 1
    if not str(threads).isdecimal():
        raise UsageError.of(
            f"The snowflake output can't be used: its threads are {threads!r}, not a whole number.",
            where="the output in profiles.yml",
            hint="Write threads: 4",
        )
    return max(int(threads), 1)


def run_tasks(
    tasks: Sequence[Callable[[Event], ResultT]], threads: int, cancel: Callable[[], None]
) -> Iterator[ResultT]:
    """Yield the results of tasks in their order, while at most `threads` of them run.

    If a task fails, or the caller is interrupted or reads no further, then the tasks that have not begun are
    left out. The others get their `Event` set, `cancel` is called, and this waits for their ends.
    """
    stop = Event()
    with ThreadPoolExecutor(threads, "models") as executor:
        futures = [executor.submit(task, stop) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            if any(future.running() for future in futures):
                cancel()
            raise
