"""The core's world with its warehouse in Snowflake, spoken to by the real connector."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Any

import yaml

from reverse_etl.state import LEASE_SECONDS
from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import Statement
from tests.core import killing
from tests.core.world import KEY, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    import pytest

    from reverse_etl.warehouse.statement import TableName
    from tests.warehouse.snowflake_accounts import Account, Server


class SnowflakeWorld(World):
    """A world whose warehouse is a place of its own in a Snowflake."""

    def __init__(self, folder: Path, account: Account | Server, **options: Any) -> None:
        self.account = account
        self.place = account.place()
        self.database = self.place.output["database"]
        super().__init__(folder, **options)
        self.destination["state_schema"] = self.place.state_schema

    def close(self) -> None:
        """Remove the place, and stop the sandbox."""
        try:
            self.place.close()
        finally:
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
        outputs = {"trial": dict(self.place.output)}
        shop = {"target": "trial", "outputs": outputs, "destinations": {"trial": destination}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump({"shop": shop}))

    def sql(self, *statements: str) -> None:
        """Change the warehouse, as dbt would."""
        self.place.sql(*statements)

    def ask(self, text: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as dbt's user."""
        return self.place.ask(text, parameters)

    def people(self, rows: Iterable[Mapping[str, Any]], table: str = "people", columns: str = "") -> None:
        """Replace a table of people, with these columns; by default all text, as the rows name them."""
        rows = [*rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = columns.replace('"', "") or ", ".join(f"{name} VARCHAR" for name in names)
        self.sql(f"CREATE OR REPLACE TABLE {table} ({columns})")
        for text, values in _inserts(table, names, rows):
            self.ask(text, values)

    def state(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the state's schema."""
        tables = "FROM information_schema.tables"  # of all schemas
        query = query.replace(tables, f"{tables} WHERE table_schema = '{self.place.state_schema}'")
        query, in_order, _ = query.partition(" ORDER BY ALL")  # which fakesnow can't
        self.sql(f"USE SCHEMA {self.database}.{self.place.state_schema}")
        try:
            rows = self.ask(query)
            return sorted(rows, key=repr) if in_order else rows
        finally:
            self.sql(f"USE SCHEMA {self.database}.{self.place.output['schema']}")


def _inserts(table: str, names: list[str], rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    marks = "(" + ", ".join("?" for _ in names) + ")"
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        values = tuple(row.get(name) for row in part for name in names)
        yield f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([marks] * len(part))}", values


def kill_sessions(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Let the tests of a module that kill a run between two statements kill one of Snowflake's sessions.

    Nobody there can tell that its run is dead, so its lease has to end before the next run may begin.
    """
    monkeypatch.setattr(killing, "DuckDB", Snowflake)
    monkeypatch.setattr(module, "DuckDB", Snowflake, raising=False)

    def dies_and_is_waited_for(world: World, nth: int, **options: Any) -> bool:
        died = killing.dies_at_statement(world, nth, **options)
        world.wait(LEASE_SECONDS + 60.0)
        return died

    monkeypatch.setattr(module, "dies_at_statement", dies_and_is_waited_for)


def tell_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-in, which keeps no times of changes, say by the rows of tables whether they changed."""

    def hash_rows(session: Snowflake, table: object) -> str:
        rows = session.fetch(Statement.read(f"SELECT * FROM {table}"))
        return md5(repr(sorted(rows, key=repr)).encode(), usedforsecurity=False).hexdigest()

    def read_relation_facts(
        session: Snowflake, names: Sequence[RelationName]
    ) -> dict[RelationName, RelationFacts]:
        return {name: RelationFacts(name, hash_rows(session, name)) for name in names}

    def read_state_versions(session: Snowflake, tables: Sequence[TableName]) -> list[str]:
        return [hash_rows(session, table) for table in tables]

    monkeypatch.setattr(Snowflake, "read_relation_facts", read_relation_facts)
    monkeypatch.setattr(Snowflake, "read_state_versions", read_state_versions)
