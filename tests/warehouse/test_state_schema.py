"""The state lies in the schema that the destination names."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.config.target import WarehouseOptions
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import SessionLost, UsageError
from reverse_etl.state import open_state
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.warehouse.insert_rows import create_scratch
from tests.warehouse.snowflake_accounts import new_database

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Place, Server
    from tests.warehouse.snowflake_world import SnowflakeWorld


@pytest.mark.parametrize(
    ("written", "place"), [("ops", '"OPS"'), ('"Mixed"', '"Mixed"'), ("x_state", '"X_STATE"')]
)
def test_the_state_lies_in_the_configured_schema(server: Server, written: str, place: Place) -> None:
    """Folded as Snowflake folds it; made where it is missing, found where it is there."""
    mine = server.place(written)
    first = mine.opened()
    open_state(first, SystemClock())
    assert first.dialect.state_schema.endswith(f".{place}")
    assert mine.opened(read_only=True).state_columns("meta")
    mine.close()


def test_a_schema_with_a_similar_name_is_not_the_states(server: Server) -> None:
    """To SHOW ... LIKE an underscore is any character."""
    mine = server.place("A_STATE")
    mine.sql("CREATE SCHEMA AXSTATE")
    reader = mine.opened(read_only=True)
    assert not reader.dialect.persistent
    assert "AXSTATE" not in reader.dialect.state_schema
    mine.close()


@pytest.mark.parametrize("written", ["MARTS", "marts", '"MARTS"'])
def test_the_state_does_not_lie_among_dbts_tables(server: Server, written: str) -> None:
    """A model of dbt's may be called as one of the state's tables is, and `meta` is replaced."""
    mine = server.place(written)
    mine.sql("CREATE TABLE meta (x INT)")
    with pytest.raises(UsageError, match="in which dbt builds"):
        mine.opened()
    assert mine.ask("SELECT * FROM meta") == []
    mine.close()


def test_only_temporary_tables_are_lost_with_their_session(server: Server) -> None:
    """A schema or a payload column that is called as scratch tables are is none."""
    with closing(server.place("temp_ops")) as mine:
        session = mine.opened()
        open_state(session, SystemClock())
        session.execute(session.dialect.create_state_table("deltas_x", '"TEMP_C" VARCHAR'))
        session.execute(create_scratch(session, "x", "SELECT 1 AS one"))
        server.end_session(mine, session)
        assert (
            session.fetch(Statement.read(f'SELECT "TEMP_C" FROM {session.dialect.state_table("deltas_x")}'))
            == []
        )
        with pytest.raises(SessionLost, match="staged"):
            session.fetch(Statement.read(f"SELECT one FROM {session.dialect.temp_table('x')}"))


def test_a_run_keeps_its_state_where_the_profile_says(world: SnowflakeWorld) -> None:
    world.destination["state_schema"] = world.place.state_schema = "OPS"
    members_model(world)
    become(world, people("ann", "bob"))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    assert only_list(world.run()).outcomes == {}
    assert world.state("SELECT COUNT(*) FROM runs") == [(2,)]
    look = Snowflake(world.place.output, read_only=True)
    assert not look.dialect.persistent
    look.close()


def test_the_state_can_be_in_another_database(server: Server) -> None:
    """A clone of dbt's database then has no state, and a swap moves none."""
    with closing(server.place()) as mine:
        other = new_database()
        mine.sql(f"CREATE DATABASE {other}")
        options = WarehouseOptions(state_database=other.lower())
        with closing(Snowflake(mine.output, read_only=False, options=options)) as session:
            assert session.dialect.state_schema == f'"{other}"."REVERSE_ETL"'
            open_state(session, SystemClock())
        with closing(Snowflake(mine.output, read_only=True, options=options)) as reader:
            assert reader.dialect.persistent
            assert reader.fetch(Statement.read("SELECT CURRENT_SCHEMA()")) == [("MARTS",)]
        with closing(mine.opened(read_only=True)) as elsewhere:
            assert not elsewhere.dialect.persistent


def test_a_state_that_would_be_left_behind_is_refused(server: Server) -> None:
    """With an empty state, members who left before would never be removed."""
    with closing(server.place()) as mine:
        open_state(mine.opened(), SystemClock())
        other = new_database()
        mine.sql(f"CREATE DATABASE {other}")
        for read_only in (False, True):
            with pytest.raises(UsageError, match="state_database asks for") as caught:
                Snowflake(mine.output, read_only=read_only, options=WarehouseOptions(state_database=other))
            assert f'RENAME TO "{other}"."REVERSE_ETL"' in str(caught.value.problems[0].hint)
