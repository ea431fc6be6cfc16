"""A DuckDB that runs tasks at the same time, as Snowflake does: one statement of each task a round.

No time passes: a round is what the slowest statements of a moment would take on a warehouse that runs all of
them at once. In a round the statements run one after another, in an order drawn by chance.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import Condition, Lock, get_ident, local
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import WarehouseError
from reverse_etl.state import tables as state_tables
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.snowflake.tasks import run_tasks
from tests.core.rows import BY_EMAIL, SELECT, become, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World


class Rounds:
    """Counts rounds, and lets one task at a time go on to its next statement. Thread-safe."""

    def __init__(self, threads: int, chance: Random) -> None:
        self.count = 0
        self.threads = threads
        self._chance = chance
        self._changed = Condition()
        self._here = local()
        self._waiting: list[tuple[int, int]] = []  # numbers of tasks and of their threads
        self._turns: list[tuple[int, int]] = []
        self._running: int | None = None
        self._tasks_left = 0
        self._blocked: Counter[Any] = Counter()

    def run_each(self, tasks: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """Run tasks as Snowflake's adapter does."""
        self._tasks_left = len(tasks)

        def run(number: int, task: Callable[[], Any], stop: Event) -> Any:
            self._here.stop, self._here.number = stop, number
            try:
                return task()
            finally:
                self._here.stop = None
                self._end_task()

        own = [partial(run, number, task) for number, task in enumerate(tasks)]
        yield from run_tasks(own, self.threads, self._wake)

    def wait_for_turn(self) -> None:
        """Wait until it is this task's turn; outside of tasks each statement is a round of its own."""
        stop = getattr(self._here, "stop", None)
        if stop is None:
            self.count += 1
            return
        me = get_ident()
        with self._changed:
            self._waiting.append((self._here.number, me))
            if self._running == me:
                self._running = None
            self._advance()
            while self._running != me:
                if stop.is_set():
                    raise WarehouseError.of("stopped")
                self._changed.wait(60.0)

    @contextmanager
    def blocked(self, is_read: Callable[[], bool], reading: set[Any], key: Any) -> Iterator[None]:
        """Let another task read what both need, while this one has no statement."""
        with self._changed:
            while key in reading and not is_read():
                if self._running == get_ident():
                    self._running = None
                self._blocked[key] += 1
                self._advance()
                self._changed.wait_for(lambda: key not in reading, 60.0)
            reading.add(key)
        try:
            yield
        finally:
            with self._changed:
                reading.discard(key)
                self._blocked[key] = 0
                self._changed.notify_all()

    def _end_task(self) -> None:
        with self._changed:
            self._tasks_left -= 1
            if self._running == get_ident():
                self._running = None
            self._advance()

    def _advance(self) -> None:
        """Give the next task its turn, in a new round once all that run have a statement."""
        if self._running is None:
            at_work = min(self.threads, self._tasks_left) - self._blocked.total()
            if not self._turns and self._waiting and len(self._waiting) >= at_work:
                self.count += 1
                self._turns, self._waiting = sorted(self._waiting), []
                self._chance.shuffle(self._turns)
            if self._turns:
                self._running = self._turns.pop()[1]
        self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


@contextmanager
def in_rounds(threads: int, seed: int = 0) -> Iterator[Rounds]:
    """Let DuckDB's sessions inside run as many tasks at the same time; the seed decides their order."""
    rounds = Rounds(threads, Random(seed))  # noqa: S311 - no secret
    reading: set[Any] = set()
    kept = state_tables._KeptValues
    get = kept.get

    def get_in_turn(values: Any, key: Any, read: Callable[[], Any]) -> Any:
        with rounds.blocked(lambda: key in values.values, reading, (id(values), key)):
            return get(values, key, read)

    one_at_a_time = Lock()  # the lease is renewed while tasks run

    def in_turn(run: Callable[[DuckDB, Statement], Any]) -> Callable[[DuckDB, Statement], Any]:
        def run_in_turn(session: DuckDB, statement: Statement) -> Any:
            rounds.wait_for_turn()
            with one_at_a_time:
                return run(session, statement)

        return run_in_turn

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kept, "get", get_in_turn)
        patched.setattr(DuckDB, "run_each", lambda _, tasks: rounds.run_each(tasks))
        for name in ("execute", "fetch"):
            patched.setattr(DuckDB, name, in_turn(getattr(DuckDB, name)))
        yield rounds


def add_models(world: World, numbers: range) -> None:
    """Add models of the same people, and send them to lists of their own."""
    become(world, people("ann", "bob"))
    for index in numbers:
        world.new_list(f"List {index}")
        world.model(f"m{index:02}", SELECT, list=f"List {index}", identifiers=BY_EMAIL)
    world.run()


def count_rounds(world: World, threads: int) -> int:
    """Return the rounds of a run."""
    with in_rounds(threads) as rounds:
        world.run()
    return rounds.count
