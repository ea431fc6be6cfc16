"""The core's world with its warehouse in Snowflake: fakesnow's server, spoken to by the real connector."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import yaml
from core_world import KEY, World

from reverse_etl.sql.text import Statement
from reverse_etl.warehouse.snowflake.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("RETL_DBT_PYTHON", HERE.parents[1] / ".venv-dbt" / "bin" / "python"))
PASSWORD = "dummy-password"


class Server:
    """The stand-in as a process of its own."""

    def __init__(self) -> None:
        if not PYTHON.exists():
            raise FileNotFoundError(
                f"There is no {PYTHON}. Run: make .venv-dbt/ready. Or name it in RETL_DBT_PYTHON."
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [PYTHON, HERE / "snowflake_server.py", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.control("look")
            except requests.ConnectionError:
                assert self._process.poll() is None, "the stand-in has ended"
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("the stand-in does not answer")

    def control(self, what: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask what was done so far, or let something go wrong."""
        url = f"http://127.0.0.1:{self.port}/control/{what}"
        return dict(requests.post(url, json=dict(document or {}), timeout=10).json())

    def journal(self, database: str) -> list[dict[str, Any]]:
        """Return the statements so far that name a database, each with its tag."""
        return [entry for entry in self.control("look")["journal"] if f'"{database}"' in entry["sql"]]

    def settings(self, database: str, **changes: Any) -> dict[str, Any]:
        """Return the keys of a dbt-snowflake output."""
        return {
            "type": "snowflake",
            "account": "acc",
            "user": "RETL",
            "password": PASSWORD,
            "role": "RETL",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "warehouse": "RETL_XS",
            "database": database,
            "schema": "MARTS",
            **changes,
        }

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


_databases = (f"SHOP_{number}_{secrets.token_hex(2).upper()}" for number in itertools.count(1))


def new_database() -> str:
    """Return a name that no other test has."""
    return next(_databases)


class SnowflakeWorld(World):
    """A world whose warehouse is a Snowflake database of its own."""

    def __init__(self, folder: Path, server: Server, **options: Any) -> None:
        self.server = server
        self.database = new_database()
        names = {
            "account": "acc",
            "user": "DBT",
            "password": PASSWORD,
            "database": self.database,
            "schema": "MARTS",
        }
        place = {"host": "127.0.0.1", "port": server.port, "protocol": "http"}
        self.session = connect(names | place)
        super().__init__(folder, **options)

    def close(self) -> None:
        """Log out, and stop the sandbox."""
        self.session.close()
        self.server.control("drop", {"database": self.database})
        super().close()

    def profile(self, **changes: Any) -> None:
        """Write profiles.yml, with changes of the destination that stay."""
        self.destination |= changes
        destination = {
            "type": "klaviyo",
            "origin": self.sandbox.origin,
            "private_api_key": KEY,
            **self.destination,
        }
        outputs = {"trial": self.server.settings(self.database)}
        shop = {"target": "trial", "outputs": outputs, "destinations": {"trial": destination}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump({"shop": shop}))

    def sql(self, *statements: str) -> None:
        """Change the warehouse, as dbt would."""
        for statement in statements:
            self.ask(Statement(statement))

    def ask(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement as dbt's user."""
        cursor = self.session.cursor()
        cursor.execute(statement.text, statement.parameters or None)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def people(self, rows: Iterable[Mapping[str, Any]], table: str = "people", columns: str = "") -> None:
        """Write a table of people anew, with these columns; by default all text, as the rows name them."""
        rows = [*rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = columns.replace('"', "") or ", ".join(f"{name} VARCHAR" for name in names)
        self.sql(f"CREATE OR REPLACE TABLE {table} ({columns})")
        for statement in _inserts(table, names, rows):
            self.ask(statement)

    def state(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the state's schema."""
        tables = "FROM information_schema.tables"  # of all schemas
        query = query.replace(tables, f"{tables} WHERE table_schema = 'REVERSE_ETL'")
        query, in_order, _ = query.partition(" ORDER BY ALL")  # which fakesnow can't
        self.sql(f"USE SCHEMA {self.database}.REVERSE_ETL")
        try:
            rows = self.ask(Statement(query))
            return sorted(rows, key=repr) if in_order else rows
        finally:
            self.sql(f"USE SCHEMA {self.database}.MARTS")


def _inserts(table: str, names: list[str], rows: list[Mapping[str, Any]]) -> Iterator[Statement]:
    marks = "(" + ", ".join("?" for _ in names) + ")"
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        values = tuple(row.get(name) for row in part for name in names)
        yield Statement(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([marks] * len(part))}", values
        )
