"""A value in the state that no run writes: each command says where it is, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import UsageError
from tests.core.files import opened
from tests.core.rows import become, members_model, people, person

if TYPE_CHECKING:
    from tests.core.world import World

DAMAGES: dict[str, dict[str, tuple[Any, ...]]] = {
    "meta": {"version": (None,)},
    "models": {"identifiers": (None, "x"), "project": (None,)},
    "runs": {"state": (None, "x"), "started_at": (None, "x"), "klaviyo_time": ("x",), "ended_at": ("x",)},
    "run_lists": {"counts": (None, "x"), "stop_cause": ("x",), "list_id": (None,), "list_name": (None,)},
    "lists": {"aspect": (None, "x")},
    "rejections": {
        "source": (None, "x"),
        "code": (None, "x"),
        "detail": (None,),
        "list_id": (None,),
        "row_key": ("x",),
        "row_count": (None,),
    },
    "journal": {"changes": (None, "x"), "outcome": (None,), "recorded_at": (None,)},
}


def _read_all(world: World) -> None:
    project = world.project()
    project.status()
    project.explain("ann@example.com")


@pytest.fixture
def night(world: World) -> World:
    """Let a model have sent Ann, with a journal, and a row that a check rejects."""
    world.profile(journal="90d")
    members_model(world)
    become(world, [*people("ann"), person("bob", email="bob")])
    world.run()
    world.calm()
    return world


def test_a_damaged_value_is_no_bug_of_the_program(night: World) -> None:
    """Without the value everything is as before."""
    _read_all(night)
    state = night.folder / "shop.reverse_etl.duckdb"
    writes = len(night.writes())
    cases = [
        (table, column, value)
        for table, columns in DAMAGES.items()
        for column, values in columns.items()
        for value in values
    ]
    for table, column, value in cases:
        with opened(state) as connection:
            connection.execute(f"create table kept as from {table}")
            connection.execute(f"update {table} set {column} = ?", [value])
        with pytest.raises(UsageError, match=f"The state is damaged: its table {table} has a value"):
            _read_all(night)
        with opened(state) as connection:
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} from kept")
            connection.execute("drop table kept")
    _read_all(night)
    with opened(state) as connection:
        connection.execute("update runs set state = NULL")
    with pytest.raises(UsageError, match="its table runs has a value"):
        night.run()
    assert len(night.writes()) == writes
