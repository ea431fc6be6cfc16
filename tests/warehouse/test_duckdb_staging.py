"""The warehouse's file is attached to be read while models are staged; nothing else is in reach."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.config.duckdb_output import find_path_problem
from reverse_etl.errors import ReverseEtlError, WarehouseError, WarehouseUnavailable
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.duckdb.errors import open_error, translate_errors
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Write a warehouse of one row."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE customers AS SELECT 'ann@example.com' AS email")
    return path


@pytest.fixture
def warehouse(shop: Path) -> Iterator[DuckDB]:
    """Open it as a run does."""
    opened = DuckDB({"path": str(shop)}, read_only=False)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "unavailable"),
    [
        ('Failed to prepare query "SELECT type FROM sqlite_master": database is locked', True),
        ('IO Error: Unable to connect to Postgres at "host=db password=topsecret dbname=x": refused', True),
        ("Binder Error: Referenced column x not found", False),
    ],
)
def test_a_database_that_is_busy_or_out_of_reach_is_no_mistake_of_the_model(
    text: str, *, unavailable: bool
) -> None:
    """An attached SQLite file that dbt's loader locks; a Postgres server that restarts: exit code 4."""
    with pytest.raises(WarehouseError) as caught, translate_errors(Statement.read("SELECT 1")):
        raise duckdb.IOException(text)
    assert isinstance(caught.value, WarehouseUnavailable) is unavailable
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "host=127.0.0.1 port=9 password=topsecret dbname=x",
        "host=db password='topsecret and more' user=ann",
        "postgresql://ann:topsecret@127.0.0.1:9/x",
    ],
)
def test_the_password_of_an_attached_database_is_not_shown(path: str) -> None:
    error = duckdb.IOException(f'IO Error: Unable to connect to Postgres at "{path}": Connection refused')
    shown = str(open_error(path, error, is_state=False))
    assert "topsecret" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Cannot open file "/data/block/shop.duckdb": Permission denied', "Check the file's disk"),
        ('Cannot open file "/my extension/s.duckdb": Read-only file system', "Check the file's disk"),
        ('The file "/block/x.duckdb" exists, but it is not a valid DuckDB database file!', "damaged"),
        (
            'Could not set lock on file "/data/shop.duckdb": Conflicting lock is held in python (PID 7).',
            "close it",
        ),
        ('Extension "/root/.duckdb/sqlite_scanner.duckdb_extension" not found.', "downloads no extension"),
    ],
)
def test_a_file_that_cannot_be_opened_is_explained_whatever_its_name(text: str, expected: str) -> None:
    """A path may have the words of a fault. A state that a full disk keeps closed is not to be restored."""
    error = open_error("/data/shop.duckdb", duckdb.IOException(f"IO Error: {text}"), is_state=True)
    assert expected in error.problems[0].hint


def test_a_table_whose_name_has_the_words_of_a_fault_is_no_fault_of_a_file() -> None:
    text = "Catalog Error: Table with name customer_extensions does not exist!"
    with pytest.raises(WarehouseError) as caught, translate_errors(Statement.read("SELECT 1")):
        raise duckdb.CatalogException(text)
    assert caught.value.problems[0].hint == "It is safe to run again."


def test_the_token_of_a_path_that_cannot_be_read_is_not_shown() -> None:
    problem = find_path_problem({"path": "md:shop?motherduck_token=topsecret"})
    assert problem is not None
    assert "topsecret" not in " ".join(problem)


def builds(path: Path) -> bool:
    """Return whether another process, as dbt, can write to the file now."""
    code = f"import duckdb; duckdb.connect({str(path)!r}).execute('CREATE OR REPLACE TABLE built (x INT)')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_dbt_can_build_again_as_soon_as_the_models_are_staged(shop: Path, warehouse: DuckDB) -> None:
    """Staged rows are a copy: requests go out while the shop's tables are built again."""
    with warehouse.staging():
        assert warehouse.fetch(Statement.read("SELECT email FROM customers")) == [("ann@example.com",)]
        assert not builds(shop)
    assert builds(shop)
    with pytest.raises(ReverseEtlError):
        warehouse.fetch(Statement.read("SELECT email FROM shop.main.customers"))


def test_a_model_can_write_nothing_to_the_warehouse(shop: Path, warehouse: DuckDB) -> None:
    """Not even by a statement that is no SELECT: the file is attached to be read."""
    with warehouse.staging(), pytest.raises(ReverseEtlError, match="read-only"):
        warehouse.execute(Statement.read("INSERT INTO shop.main.customers VALUES ('bob@example.com')"))
    with duckdb.connect(str(shop), read_only=True) as connection:
        assert connection.execute("SELECT COUNT(*) FROM customers").fetchone() == (1,)


@pytest.mark.parametrize(
    "reach", ["SELECT * FROM read_csv('{}')", "ATTACH '{}' AS other", "COPY customers TO '{}'"]
)
def test_a_model_reaches_no_other_file(tmp_path: Path, warehouse: DuckDB, reach: str) -> None:
    """A model reads what dbt built, and no file beside it."""
    file = tmp_path / "people.csv"
    file.write_text("email\nbob@example.com\n", encoding="utf-8")
    with warehouse.staging(), pytest.raises(ReverseEtlError, match=r"disabled|external"):
        warehouse.execute(Statement.read(reach.format(file)))
    assert file.read_text(encoding="utf-8") == "email\nbob@example.com\n"


def test_attached_databases_have_their_options_and_the_target_database_may_be_one_of_them(
    shop: Path, tmp_path: Path
) -> None:
    """An encrypted file is opened with its key; unqualified names are looked up in `database`."""
    with duckdb.connect() as connection:
        connection.execute("SET force_mbedtls_unsafe = true")
        connection.execute(f"ATTACH '{tmp_path / 'safe.db'}' AS safe (ENCRYPTION_KEY 'it''s')")
        connection.execute("CREATE TABLE safe.t AS SELECT 7 AS x")
    output = {
        "path": str(shop),
        "database": "vault",
        "secrets": [{"type": "http", "bearer_token": "it's", "scope": ["https://a.example"]}],
        "attach": [
            {"path": str(tmp_path / "safe.db"), "alias": "vault", "options": {"encryption_key": "it's"}},
        ],
    }
    opened = DuckDB(output, read_only=True)
    with opened.staging():
        assert opened.fetch(Statement.read("SELECT x FROM t")) == [(7,)]
        assert opened.fetch(Statement.read("SELECT email FROM shop.main.customers")) == [("ann@example.com",)]
    opened.close()


def test_no_extension_is_downloaded_unasked(shop: Path, tmp_path: Path) -> None:
    """An attached database that needs one says how to get it, and is not tried over the network."""
    output = {
        "path": str(shop),
        "attach": [{"path": str(tmp_path / "x.db"), "type": "sqlite"}],
        "settings": {"extension_directory": str(tmp_path / "no extensions")},
    }
    opened = DuckDB(output, read_only=True)
    setting = "SELECT current_setting('autoinstall_known_extensions')"
    assert opened.fetch(Statement.read(setting)) == [(False,)]
    with pytest.raises(ReverseEtlError) as caught, opened.staging():
        pass
    assert "reverse-etl downloads no extension" in caught.value.problems[0].hint
    opened.close()


@pytest.mark.parametrize("settings", [{}, {"threads": 5}])
def test_a_session_has_the_threads_of_its_output(shop: Path, settings: dict[str, int]) -> None:
    """Whatever its settings say."""
    opened = DuckDB({"path": str(shop), "threads": 3, "settings": settings}, read_only=True)
    assert opened.fetch(Statement.read("SELECT current_setting('threads')")) == [(3,)]
    opened.close()


def test_a_view_over_a_file_says_what_works_instead(shop: Path, tmp_path: Path) -> None:
    """As an external materialization of dbt leaves it."""
    with duckdb.connect(str(shop)) as connection:
        connection.execute(f"COPY customers TO '{tmp_path / 'c.parquet'}'")
        connection.execute(f"CREATE VIEW outside AS SELECT * FROM '{tmp_path / 'c.parquet'}'")
    opened = DuckDB({"path": str(shop)}, read_only=True)
    with opened.staging(), pytest.raises(ReverseEtlError) as caught:
        opened.fetch(Statement.read("SELECT email FROM outside"))
    assert "Let dbt build it as a table" in caught.value.problems[0].hint
    opened.close()
