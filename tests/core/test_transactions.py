"""Related changes are committed as one: a kill inside a transaction leaves the state as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.state.tables import StateTables
from reverse_etl.warehouse.duckdb.adapter import STATE_DATABASE, DuckDB
from reverse_etl.warehouse.statement import Statement
from tests.core.test_killed_runs import begin_changes
from tests.core.world import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tests.core.world import World

TOGETHER = {
    "a run's deltas, and that it is submitting": f'INSERT INTO "{STATE_DATABASE}".main."deltas_',
    "what was proved, with its receipts and rejections": f'INSERT INTO "{STATE_DATABASE}".main."snapshot_',
}


def facts(ask: Callable[..., Any], place: str = "") -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Return how many rows each table of the state has, and the state of each run."""
    where = f" WHERE database_name = '{STATE_DATABASE}'" if place else ""
    tables = sorted(name for (name,) in ask(f"SELECT table_name FROM duckdb_tables(){where}"))
    counts = {name: ask(f'SELECT COUNT(*) FROM {place}"{name}"')[0][0] for name in tables}
    return counts, sorted(ask(f"SELECT state, COUNT(*) FROM {place}runs GROUP BY state"))


class DyingWarehouse:
    """Lets a process die in what is committed as one, at the statement after one that begins with `marker`.

    `before` is what the state was when that was begun.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, marker: str) -> None:
        self.before, self.met, self.dead = None, False, False
        commit, execute = StateTables.commit, DuckDB.execute

        def begin(tables: StateTables, statements: Sequence[Statement] | tuple[Statement, ...]) -> None:
            together = list(statements)
            if any(statement.text.startswith(marker) for statement in together):
                self.before = facts(
                    lambda text: tables.fetch(Statement.read(text)), f'"{STATE_DATABASE}".main.'
                )
            commit(tables, together)

        def die(warehouse: DuckDB, statement: Statement) -> None:
            self.dead = self.dead or self.met
            if self.dead:
                raise Interrupted
            execute(warehouse, statement)
            self.met = statement.text.startswith(marker)

        monkeypatch.setattr(StateTables, "commit", begin)
        monkeypatch.setattr(DuckDB, "execute", die)


@pytest.mark.parametrize("marker", TOGETHER.values(), ids=TOGETHER)
def test_a_kill_inside_a_transaction_leaves_the_state_unchanged(
    world: World, monkeypatch: pytest.MonkeyPatch, marker: str
) -> None:
    """Half of it would say of rows that they were sent, or proved, which they were not."""
    begin_changes(world)
    with monkeypatch.context() as patched:
        dying = DyingWarehouse(patched, marker)
        with pytest.raises(Interrupted):
            world.run()
    assert dying.dead
    assert facts(world.state) == dying.before
