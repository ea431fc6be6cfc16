"""Rows and columns that were read from the state are kept until they may have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import WarehouseError
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.state import State
    from tests.core.world import World


@pytest.fixture
def state(world: World) -> Iterator[State]:
    """Open the state of a project that has sent a model."""
    members_model(world)
    become(world, people("ann"))
    world.run()
    connections = world.project().connections
    with connections.warehouse(read_only=False) as warehouse:
        yield connections.state(warehouse, None)


def _rename_behind_its_back(state: State) -> None:
    """Rename the model as another process would."""
    table = state.tables.dialect.state_table("models")
    state.tables.warehouse.execute(Statement.change(table, f"UPDATE {table} SET model = 'renamed'"))


def test_a_read_is_kept_until_the_table_is_written(state: State) -> None:
    assert [*state.models.records()] == ["members"]
    _rename_behind_its_back(state)
    assert [*state.models.records()] == ["members"]
    state.tables.execute(state.tables.delete("lists", model="members"))
    assert [*state.models.records()] == ["members"]
    state.tables.execute(state.tables.update("models", {"checksum": "x"}, model="renamed"))
    assert [*state.models.records()] == ["renamed"]


def test_nothing_read_before_the_lease_is_kept_when_it_is_held(state: State) -> None:
    """A run that waited for the lease plans with what the other run left."""
    state.models.records()
    _rename_behind_its_back(state)
    with state.hold_lease():
        assert [*state.models.records()] == ["renamed"]


@pytest.mark.parametrize("single_writer", [True, False])
def test_nothing_may_be_written_once_the_lease_is_released(
    state: State, monkeypatch: pytest.MonkeyPatch, *, single_writer: bool
) -> None:
    """Although the time for which it was held is not over: another run may hold it."""
    monkeypatch.setattr(DuckDB, "single_writer", single_writer)
    with state.hold_lease():
        state.require_lease()
    with pytest.raises(WarehouseError):
        state.require_lease()


def test_no_columns_are_kept_of_a_dropped_table(state: State) -> None:
    (record,) = state.models.records().values()
    tables = state.models.load_tables(record)
    assert tables is not None
    name = state.tables.dialect.state_table(tables.snapshot)
    state.tables.execute(Statement.drop(name, f"DROP TABLE {name}"))
    assert state.models.load_tables(record) is None
