"""Where tests find a Snowflake: a stand-in on this machine, and, if it is asked for, an account.

A test that both can answer takes the fixture `account` or `place` and is written once: it runs on the
stand-in in every suite, and on an account under the mark `live` (docs/snowflake.md says how).
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverse_etl.config.target import STATE_SCHEMA, WarehouseOptions
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.snowflake.auth import build_arguments
from reverse_etl.warehouse.snowflake.client import connect
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("RETL_DBT_PYTHON", ROOT / ".venv-dbt" / "bin" / "python"))
PASSWORD = "dummy-password"
# pytest-socket keeps every other test on this machine.
LIVE = pytest.param("account", marks=[pytest.mark.live, pytest.mark.enable_socket])
ACCOUNTS = ["stand_in", LIVE]
WAREHOUSES = ["duckdb", *ACCOUNTS]
# For tests beside others that run such statements on the stand-in: there they are part of the long suite,
# since a run takes three times the time of one on DuckDB. `test_statements_run.py` runs every statement.
STAND_IN_IS_LONG = ["duckdb", pytest.param("stand_in", marks=pytest.mark.long), LIVE]
stand_in_is_long = pytest.mark.parametrize("shop", STAND_IN_IS_LONG, indirect=True)
LIVE_ENV = "RETL_LIVE_ENV"
PREFIX = "RETL_LIVE_"  # of the schemas that tests make in an account
_NEEDED = ("account", "user", "role", "warehouse", "database", "restricted_role")


@dataclass
class Place:
    """A schema for dbt's tables and one for the state, which a test has for itself. Close it in the end.

    `output` is how the job signs in, and `dbt` how dbt does.
    """

    output: Mapping[str, Any]
    dbt: Mapping[str, Any]
    state_schema: str
    remove: Callable[[], None]
    _session: Any = None
    _opened: ExitStack = field(default_factory=ExitStack)

    def opened(self, *, read_only: bool = False, **changes: Any) -> Snowflake:
        """Open a session as the job does, with changes of the output; it is closed with the place."""
        session = Snowflake(
            {**self.output, **changes},
            read_only=read_only,
            options=WarehouseOptions(state_schema=self.state_schema),
        )
        self._opened.callback(session.close)
        return session

    def ask(self, text: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as dbt's user, in dbt's schema, and return its rows."""
        if self._session is None:
            self._session = connect(build_arguments(self.dbt))
            self._opened.callback(self._session.close)
        cursor = self._session.cursor()
        cursor.execute(text, parameters or None)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def sql(self, *texts: str) -> None:
        """Run statements as dbt's user."""
        for text in texts:
            self.ask(text)

    def close(self) -> None:
        """End the sessions and remove what was made."""
        with ExitStack() as stack:
            stack.callback(self.remove)
            stack.callback(self._opened.close)


class Server:
    """The stand-in as a process of its own."""

    restricted_role = "RETL_RESTRICTED"

    def __init__(self) -> None:
        if not PYTHON.exists():
            raise FileNotFoundError(
                f"There is no {PYTHON}. Run: make .venv-dbt/ready. Or name it in RETL_DBT_PYTHON."
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [str(PYTHON), "-m", "tests.warehouse.snowflake_server", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
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

    def place(self, state_schema: str = STATE_SCHEMA, database: str = "") -> Place:
        """Return a new database, of a name that no other test has unless one is given."""
        database = database or new_database()
        return Place(
            self.settings(database),
            self.settings(database, user="DBT"),
            state_schema,
            lambda: void(self.control("drop", {"database": database})),
        )

    def pretend(
        self, pattern: str, code: str, message: str = "as Snowflake would say", times: int = 1
    ) -> None:
        """Let the next statements that match be answered as an account answers them of itself."""
        self.control("fault", {"pattern": pattern, "code": code, "message": message, "times": times})

    def hold(self, pattern: str, until: str) -> None:
        """Let the next statement that matches wait for one that matches `until`; without it, it fails."""
        self.control("fault", {"pattern": pattern, "until": until})

    def pretend_login(self, code: str) -> None:
        """Let the next sign-ins be refused, until `calm`, as an account refuses them of itself."""
        self.control("login_fault", {"pattern": "", "code": code, "message": "as Snowflake would say"})

    def grant(self, place: Place, *texts: str) -> None:
        """Do nothing: to the stand-in every role may do everything."""

    def cancel_soon(self, place: Place, session: Snowflake) -> None:
        """Do nothing: what is pretended is cancelled at once."""

    def end_session(self, place: Place, session: Snowflake) -> None:
        """End a session behind the job's back."""
        del session
        self.control("expire", {"user": place.output["user"]})

    def calm(self) -> None:
        """Let what was pretended stop."""
        self.control("forget")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class Account:
    """A Snowflake account, of which a file of NAME=value lines says how to sign in."""

    def __init__(self, file: Path) -> None:
        lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
        given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        self._settings = {
            name.strip().removeprefix("SNOWFLAKE_").lower(): value.strip() for name, value in given.items()
        }
        missing = [name for name in _NEEDED if not self._settings.get(name)]
        assert not missing, f"{file} lacks SNOWFLAKE_{', SNOWFLAKE_'.join(missing).upper()}"
        self.restricted_role = self._settings.pop("restricted_role")

    def place(self, state_schema: str = "") -> Place:
        """Make a schema for dbt's tables, and name one for the state."""
        name = f"{PREFIX}{secrets.token_hex(4).upper()}"
        state_schema = state_schema or f"{name}_STATE"
        output = {"type": "snowflake", **self._settings, "schema": name}
        place = Place(output, output, state_schema, lambda: self._drop(name, state_schema))
        self._run(f"CREATE TRANSIENT SCHEMA {name} DATA_RETENTION_TIME_IN_DAYS = 0")
        return place

    def pretend(self, pattern: str, code: str, message: str = "", times: int = 1) -> None:
        """Do nothing: an account is what the stand-in pretends to be."""

    def pretend_login(self, code: str) -> None:
        """Do nothing, as above."""

    def grant(self, place: Place, *texts: str) -> None:
        """Grant something to the restricted role."""
        place.sql(*(f"GRANT {text} TO ROLE {self.restricted_role}" for text in texts))

    def cancel_soon(self, place: Place, session: Snowflake) -> None:
        """Cancel what a session runs in some seconds, from another session of the same user."""
        number = _number(session)
        threading.Timer(5.0, lambda: place.sql(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({number})")).start()

    def end_session(self, place: Place, session: Snowflake) -> None:
        """End a session from another one of the same user."""
        place.sql(f"SELECT SYSTEM$ABORT_SESSION({_number(session)})")

    def calm(self) -> None:
        """Do nothing, as above."""

    def _drop(self, *schemas: str) -> None:
        self._run(*(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE' for schema in schemas))

    def _run(self, *texts: str) -> None:
        session = connect(build_arguments(self._settings))
        try:
            for text in texts:
                session.cursor().execute(text)
        finally:
            session.close()


def _number(session: Snowflake) -> int:
    ((number,),) = session.fetch(Statement.read("SELECT CURRENT_SESSION()"))
    return int(number)


def account_of(environ: Mapping[str, str]) -> Account:
    """Return the account of `make test-live`."""
    assert environ.get(LIVE_ENV), "Say which account: make test-live ENV=path/to/snowflake.env"
    return Account(Path(environ[LIVE_ENV]))


_databases = (f"SHOP_{number}_{secrets.token_hex(2).upper()}" for number in itertools.count(1))


def new_database() -> str:
    """Return a name that no other test has."""
    return next(_databases)


def void(_: object) -> None:
    """Let go of an answer."""
