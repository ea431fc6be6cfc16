"""The promises of every warehouse to the core: one suite over all of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.config.target import STATE_SCHEMA, Output, WarehouseOptions
from reverse_etl.domain.columns import ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import WarehouseError
from reverse_etl.state import State, StateScope, open_state
from reverse_etl.state.shared_tables import read_shared_tables, shared_queries
from reverse_etl.state.sql import migrations, schema
from reverse_etl.warehouse.factory import open_warehouse
from reverse_etl.warehouse.statement import Statement
from tests.warehouse.insert_rows import create_scratch, insert
from tests.warehouse.snowflake_accounts import WAREHOUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import TableName
    from tests.warehouse.snowflake_accounts import Account, Server

RUN = ("r1", "acc", "shop", "ended", "2026-01-01", "2026-01-01", None, 0)


@pytest.fixture(params=WAREHOUSES)
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, named_account: Callable[[str], Account | Server]
) -> Iterator[Callable[..., Warehouse]]:
    """Return what opens sessions with one and the same new warehouse."""
    with ExitStack() as stack:
        if request.param == "duckdb":
            output = Output(Engine.DUCKDB, {"path": str(tmp_path / "shop.duckdb")})
            duckdb.connect(output.settings["path"]).close()
            schema_of_state = STATE_SCHEMA
        else:
            place = named_account(request.param).place()
            stack.callback(place.close)
            output, schema_of_state = Output(Engine.SNOWFLAKE, place.output), place.state_schema

        def open_(*, read_only: bool = False) -> Warehouse:
            options = WarehouseOptions(state_schema=schema_of_state)
            made = open_warehouse(output, read_only=read_only, options=options, threads=2)
            stack.callback(made.close)
            return made

        yield open_


@pytest.fixture
def warehouse(opened: Callable[..., Warehouse]) -> Warehouse:
    """Open a session, with the state's tables made."""
    session = opened()
    open_state(session, SystemClock())
    return session


def runs(warehouse: Warehouse) -> list[tuple[str]]:
    """Return the runs by id."""
    return warehouse.fetch(
        Statement.read(f"SELECT run_id FROM {warehouse.dialect.state_table('runs')} ORDER BY run_id")
    )


def test_the_state_lasts(opened: Callable[..., Warehouse], warehouse: Warehouse) -> None:
    insert(warehouse, "runs", [RUN])
    warehouse.close()
    again = opened()
    open_state(again, SystemClock())
    assert again.fetch(Statement.read(f"SELECT * FROM {again.dialect.state_table('runs')}")) == [RUN]
    assert again.fetch(migrations.select_meta(again.dialect, ["version"])) == [
        (schema.STATE_VERSION, None, None)
    ]


def test_rows_come_in_order_with_their_values(warehouse: Warehouse) -> None:
    rows = [(f"r{number:05}", "Zoë 漢字 '\"\\", "", "x", "x", None, None, number) for number in range(2500)]
    insert(warehouse, "runs", rows)
    statement = Statement.read(
        f"SELECT * FROM {warehouse.dialect.state_table('runs')} WHERE run_id >= ? ORDER BY run_id",
        ("r00100",),
    )
    batches = list(warehouse.stream(statement, 1000))
    assert [len(batch) for batch in batches] == [1000, 1000, 400]
    assert [row for batch in batches for row in batch] == rows[100:]


def test_other_statements_run_between_batches(warehouse: Warehouse) -> None:
    """A reader gets the rows as they were when the reading began."""
    insert(warehouse, "runs", [(f"r{number}", *RUN[1:]) for number in range(4)])
    seen = []
    for batch in warehouse.stream(
        Statement.read(f"SELECT run_id FROM {warehouse.dialect.state_table('runs')} ORDER BY 1"), 2
    ):
        seen += batch
        insert(warehouse, "runs", [("later", *RUN[1:])])
    assert seen == [("r0",), ("r1",), ("r2",), ("r3",)]


def test_reading_may_stop_early(warehouse: Warehouse) -> None:
    insert(warehouse, "runs", [(f"r{number}", *RUN[1:]) for number in range(4)])
    batches = warehouse.stream(
        Statement.read(f"SELECT run_id FROM {warehouse.dialect.state_table('runs')} ORDER BY 1"), 2
    )
    assert next(batches) == [("r0",), ("r1",)]
    assert isinstance(batches, Generator)
    batches.close()
    assert len(runs(warehouse)) == 4


def half_done(warehouse: Warehouse) -> None:
    """Fail in the middle of a transaction."""
    with warehouse.transaction():
        table = warehouse.dialect.state_table("runs")
        warehouse.execute(Statement.change(table, f"DELETE FROM {table}"))
        raise ZeroDivisionError


def test_a_transaction_is_atomic(opened: Callable[..., Warehouse], warehouse: Warehouse) -> None:
    with warehouse.transaction():
        insert(warehouse, "runs", [RUN])
        insert(warehouse, "runs", [("r2", *RUN[1:])])
    with pytest.raises(ZeroDivisionError):
        half_done(warehouse)
    assert runs(warehouse) == [("r1",), ("r2",)]
    insert(warehouse, "runs", [("r3", *RUN[1:])])  # the next statement is committed by itself
    warehouse.close()
    assert len(runs(opened())) == 3


def test_a_mistake_is_a_warehouse_error(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"(?i)no_such_table"):
        warehouse.fetch(Statement.read("SELECT * FROM no_such_table"))
    with pytest.raises(WarehouseError), warehouse.transaction():
        warehouse.execute(Statement.read("SELECT * FROM no_such_table"))
    assert runs(warehouse) == []


def test_temporary_tables_end_with_the_session(
    opened: Callable[..., Warehouse], warehouse: Warehouse
) -> None:
    create = create_scratch(warehouse, "staged_x", "SELECT 1 AS one")
    warehouse.execute(create)
    assert warehouse.fetch(Statement.read(f"SELECT one FROM {create.table}")) == [(1,)]
    warehouse.close()
    opened().execute(create)


def test_columns_are_described_without_running_the_query(warehouse: Warehouse) -> None:
    described = warehouse.describe(
        "select 1 as one, 1.5 as decimal_, 'x' as text_, true as flag, current_date as day"
    )
    assert [column.name.lower() for column in described] == ["one", "decimal_", "text_", "flag", "day"]
    assert [column.kind for column in described] == [
        ColumnKind.INTEGER,
        ColumnKind.DECIMAL,
        ColumnKind.TEXT,
        ColumnKind.BOOLEAN,
        ColumnKind.DATE,
    ]


def test_the_columns_of_a_state_table_are_described(warehouse: Warehouse) -> None:
    """Ours under their own names; no columns where there is no such table."""
    warehouse.execute(warehouse.dialect.create_state_table("deltas_x", 'retl_seq BIGINT, "Amount" VARCHAR'))
    assert list(warehouse.state_columns("deltas_x")) == ["retl_seq", "Amount"]
    assert warehouse.state_columns("deltas_x")["Amount"].kind is ColumnKind.TEXT
    assert warehouse.state_columns("deltas_y") == {}


def writes_to(table: TableName) -> list[Statement]:
    """Return statements of every kind that writes; some do not begin with the word that says so."""
    old = "SELECT 'r1' AS old"
    merge = f"MERGE INTO\n{table} AS r USING ({old}) AS n\nON r.run_id = n.old WHEN MATCHED THEN DELETE"
    delete = f"WITH n AS ({old})\nDELETE FROM {table} WHERE run_id IN (SELECT old FROM n)"
    return [
        Statement.create(table, f"CREATE OR REPLACE TABLE {table} (run_id VARCHAR)"),
        Statement.insert(table, f"INSERT INTO {table} (run_id) VALUES ('r2')"),
        Statement.change(table, f"UPDATE {table} SET run_id = 'r2'"),
        Statement.change(table, f"DELETE FROM {table}"),
        Statement.change(table, f"ALTER TABLE {table} ADD COLUMN more VARCHAR"),
        Statement.drop(table, f"DROP TABLE {table}"),
        Statement.insert(table, f"-- for a test\nINSERT INTO {table} (run_id) VALUES ('r2')"),
        Statement.change(table, f"/* for a test */ DELETE FROM {table}"),
        Statement.change(table, merge),
        Statement.change(table, delete),
    ]


def test_a_read_only_session_changes_nothing_that_lasts(
    opened: Callable[..., Warehouse], warehouse: Warehouse
) -> None:
    """It may make scratch tables, and is refused all else."""
    insert(warehouse, "runs", [RUN])
    warehouse.close()
    reader = opened(read_only=True)
    open_state(reader, SystemClock())
    reader.execute(create_scratch(reader, "staged_x", "SELECT 1 AS one"))
    for statement in writes_to(reader.dialect.state_table("runs")):
        with pytest.raises(WarehouseError, match="read-only"):
            reader.execute(statement)
    assert runs(reader) == [("r1",)]


def test_before_the_first_run_a_read_only_session_leaves_no_trace(opened: Callable[..., Warehouse]) -> None:
    reader = opened(read_only=True)
    open_state(reader, SystemClock())
    insert(reader, "runs", [RUN])
    assert runs(reader) == [("r1",)]
    reader.close()
    writer = opened()
    assert writer.state_columns("meta") == {}
    open_state(writer, SystemClock())
    assert runs(writer) == []


def test_closing_twice_is_harmless(warehouse: Warehouse) -> None:
    warehouse.close()
    warehouse.close()
    with pytest.raises(WarehouseError):
        warehouse.fetch(Statement.read("SELECT 1"))


def test_results_of_tasks_come_in_their_order_until_one_fails(warehouse: Warehouse) -> None:
    statements = [Statement.read(f"SELECT {text}") for text in ("1", "2", "no_such_column", "4")]
    results = warehouse.run_each([partial(warehouse.fetch, statement) for statement in statements])
    assert [next(results), next(results)] == [[(1,)], [(2,)]]
    with pytest.raises(WarehouseError):
        next(results)
    assert [*warehouse.run_each([])] == []


def test_a_second_session_commits_beside_a_transaction(warehouse: Warehouse) -> None:
    """It renews the lease, whatever the first one does."""
    with warehouse.second_session() as second, warehouse.transaction():
        insert(warehouse, "runs", [RUN])
        insert(second, "targets", [("shop", "prod", "acc")])
        targets = Statement.read(f"SELECT * FROM {second.dialect.state_table('targets')}")
        assert second.fetch(targets) == [("shop", "prod", "acc")]
        assert runs(second) == []
    assert warehouse.fetch(targets) == [("shop", "prod", "acc")]
    assert runs(warehouse) == [("r1",)]


def test_queries_of_shared_tables_give_the_same_rows_together_as_alone(warehouse: Warehouse) -> None:
    """In their order, with numbers, booleans and NULLs."""
    key = ("acc", "shop")
    rows: dict[str, list[tuple[object, ...]]] = {
        "runs": [
            ("r1", *key, "submitting", "t1", "k1", None, None),
            ("r2", *key, "ended", "t2", "k2", "e2", 1),
        ],
        "run_lists": [(run, "vip", "L1", "V,I'P", "{}", None, "") for run in ("r1", "r2")],
        "receipts": [
            ("r1", "vip", "L1", "add", first, first + 1, 2, "accepted", None, "t1", "", first > 1)
            for first in (3, 1)
        ],
        "lists": [(*key, list_id, "VIP", "vip", "members", "owned", "t1") for list_id in (None, "L1")],
        "rejections": [
            (*key, "vip", "L1", f"email:{name}", "check", "invalid", None, "No.", "r1", 2) for name in "ab"
        ],
        "omissions": [(*key, "vip", "L1", "email:a", "phone", "duplicate", "d", "r1")],
    }
    for table, values in rows.items():
        insert(warehouse, table, values)
    state = State(warehouse, StateScope(*key), SystemClock())
    alone = [warehouse.fetch(query.statement) for query in shared_queries(state)]
    read_shared_tables(state)
    with pytest.MonkeyPatch.context() as patched:
        patched.delattr(type(warehouse), "fetch")  # nothing is asked again
        assert [state.tables.fetch_shared(query) for query in shared_queries(state)] == alone
    assert [len(result) for result in alone] == [0, 2, 2, 0, 2, 2, 1, 1, 0, 0]
