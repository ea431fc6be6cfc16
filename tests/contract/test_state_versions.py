"""Today's commands read and write states of every version of the contract.

`states/version_N/` holds a state of version N for each warehouse: in version 1 as the killed run of the third
day leaves it, in later versions what that state is migrated to. The files of a released version never change.
To raise the version, put the migrated state beside them; `tests/warehouse/test_migrations.py` tests that the
older ones migrate to it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.state.sql import migrations
from reverse_etl.state.sql.schema import STATE_VERSION
from tests.contract.normalizer import ALL_TIMES, Normalizer
from tests.contract.recorder import Klaviyo
from tests.contract.shop import Shop
from tests.contract.state_dump import split_statements, state_as_sql
from tests.contract.story import run_command
from tests.contract.warehouses import DATABASE, STATE_SCHEMA, duckdb_warehouse, snowflake_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouse.snowflake_accounts import Server

HERE = Path(__file__).parent
STATES = HERE / "states"


def state_of(version: int, engine: str) -> str:
    """Return the statements that rebuild a state."""
    return (STATES / f"version_{version}" / f"{engine}.sql").read_text(encoding="utf-8")


def renumbered(document: str) -> str:
    """Return a document with its runs numbered in the order in which it names them."""
    numbers: dict[str, str] = {}
    return re.sub("<run .>", lambda run: numbers.setdefault(run[0], f"<run {len(numbers) + 1}>"), document)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give the shop's project in a folder, with a DuckDB warehouse and the state of version 1."""
    folder = tmp_path / "shop"
    folder.mkdir()
    with Klaviyo() as klaviyo:
        made = Shop(folder, klaviyo, duckdb_warehouse(folder))
        made.set_up()
        made.first_day()
        with duckdb.connect(folder / "shop.reverse_etl.duckdb") as connection:
            # The target is known by its address, which here is another each time.
            connection.execute(state_of(1, "duckdb").replace("http://127.0.0.1:8765", klaviyo.origin))
        yield made


@pytest.mark.parametrize("version", migrations.TABLES_BY_VERSION)
def test_a_state_has_rows_in_every_table(version: int) -> None:
    """Uncertain deltas, open receipts, refusals, a list being created, a lease: all of them must migrate.

    Tables that came after version 1 have none: nothing was in them.
    """
    new_tables = {
        name
        for new_version, tables in migrations.NEW_TABLES_BY_VERSION.items()
        if new_version <= version
        for name in tables
    }
    shared = {*migrations.TABLES_BY_VERSION[version]} - new_tables
    for engine in ("duckdb", "snowflake"):
        text = state_of(version, engine)
        filled = {each.split('"')[1].lower() for each in split_statements(text) if "INSERT" in each}
        assert filled >= shared
        kinds = {name.partition("_")[0] for name in filled - shared}
        assert kinds == {"snapshot", "deltas", "rejected"}


def test_duckdb_rebuilds_a_state_as_it_was(shop: Shop) -> None:
    names = {shop.klaviyo.origin: "http://127.0.0.1:8765"}
    assert state_as_sql(shop.warehouse.state(), "duckdb", names) == state_of(1, "duckdb")


def test_snowflake_rebuilds_a_state_as_it_was(snowflake_server: Server) -> None:
    with snowflake_warehouse(snowflake_server) as warehouse:
        warehouse.sql(f"CREATE SCHEMA {DATABASE}.{STATE_SCHEMA}")
        warehouse.sql(f"USE SCHEMA {DATABASE}.{STATE_SCHEMA}")
        for statement in split_statements(state_of(1, "snowflake")):
            warehouse.sql(statement)
        assert state_as_sql(warehouse.state(), "snowflake", {}) == state_of(1, "snowflake")


@pytest.mark.parametrize("command", ["status", "report"])
def test_todays_commands_read_a_state_of_version_1(shop: Shop, command: str) -> None:
    """They print what the state holds, and change no file."""
    before = {path: path.read_bytes() for path in shop.folder.iterdir() if path.is_file()}
    out, err, code = run_command(shop.folder, command, "--json")
    assert code == 0, err
    normalizer = Normalizer({str(shop.folder): "<folder>", shop.klaviyo.origin: "<klaviyo>"}, ALL_TIMES)
    expected = (STATES / "version_1" / f"{command}.json").read_text(encoding="utf-8")
    assert normalizer.document(out) == renumbered(expected)
    assert {path: path.read_bytes() for path in shop.folder.iterdir() if path.is_file()} == before


def test_todays_commands_write_a_state_of_version_1(shop: Shop) -> None:
    """They migrate it first and say where its copy is; `retry` ends an older rejection."""
    out, err, code = run_command(shop.folder, "retry", "--json")
    assert code == 0, err
    assert '"everybody": 1' in out
    (copy,) = shop.folder.glob("shop.reverse_etl.v1_*.duckdb")
    assert f"migrated from version 1 to {STATE_VERSION}" in err
    assert copy.name in err
    assert run_command(shop.folder, "retry", "--json")[1] == ""
