"""A state of an earlier version becomes one of today's, in whatever way that is cut short."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.config.target import STATE_SCHEMA
from reverse_etl.domain.progress import StateMigrated
from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.state import LEASE_SECONDS, open_state
from reverse_etl.state.sql import migrations
from reverse_etl.state.sql.schema import SHARED_TABLES, STATE_VERSION
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import Statement
from tests.contract.state_dump import Table, split_statements, state_as_sql
from tests.contract.warehouses import duckdb_tables, duckdb_warehouse, snowflake_warehouse
from tests.core.world import Interrupted
from tests.warehouse.snowflake_accounts import new_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.domain.progress import Progress
    from tests.contract.state_dump import Engine
    from tests.contract.warehouses import Warehouse
    from tests.warehouse.snowflake_accounts import Server

STATES = Path(__file__).parents[1] / "contract" / "states"
VERSIONS = range(1, STATE_VERSION)
ENGINES = ("duckdb", "snowflake")
BEFORE_THE_LEASE_ENDS = 1_577_836_800.0  # 2020-01-01T00:00:00Z
AFTER_THE_LEASE_ENDED = 1_609_459_200.0  # 2021-01-01T00:00:00Z


@dataclass
class Clock:
    """A time that only tests move."""

    time: float = AFTER_THE_LEASE_ENDED

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """Return seconds since some fixed point."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.time += seconds


@dataclass
class OldState:
    """A warehouse in which a state of any version can be put. `folder` is that of the DuckDB files."""

    warehouse: Warehouse
    folder: Path
    database: str
    clock: Clock = field(default_factory=Clock)

    def put(self, version: int, *, models: bool = True, surfaces: bool = False) -> None:
        """Put a state of a version in the place of what is there.

        If asked, it is without the models' rows, or with rows of the surfaces that version 3 brought.
        """
        wanted = split_statements(state_of(version, self.warehouse.engine))
        if not models:
            of_models = re.compile(r'TABLE "\w+_[0-9a-f]{8}"|INTO "(\w+_[0-9a-f]{8}|models)"', re.IGNORECASE)
            wanted = [each for each in wanted if not of_models.search(each)]
        if surfaces:
            wanted += split_statements((STATES / f"version_{version}" / "surfaces.sql").read_text("utf-8"))
        if self.warehouse.engine == "duckdb":
            for path in self.folder.glob("*.reverse_etl*"):
                path.unlink()
            with duckdb.connect(self.folder / "shop.reverse_etl.duckdb") as connection:
                connection.execute(";\n".join(wanted))
            return
        schema = f"{self.database}.{STATE_SCHEMA}"
        self.warehouse.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.warehouse.sql(f"USE SCHEMA {schema}")
        for name in self.warehouse.state():
            self.warehouse.sql(f'DROP TABLE "{name}"')
        for statement in wanted:
            self.warehouse.sql(statement)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[DuckDB | Snowflake]:
        """Open a session as the job does."""
        if self.warehouse.engine == "duckdb":
            path = str(self.folder / "shop.duckdb")
            opened: DuckDB | Snowflake = DuckDB({"path": path}, read_only=read_only)
        else:
            opened = Snowflake(self.warehouse.output, read_only=read_only)
        try:
            yield opened
        finally:
            opened.close()

    def open(self, *, read_only: bool = False) -> list[Progress]:
        """Open the state and close it again; return the warnings."""
        told: list[Progress] = []
        with self.session(read_only=read_only) as session:
            open_state(session, self.clock, told.append)
        return told

    def tables(self) -> dict[str, Table]:
        """Return the tables of the state, by their names in lower case."""
        return {name.lower(): table for name, table in self.warehouse.state().items()}

    def copied(self, tables: Mapping[str, Table]) -> dict[str, Table]:
        """Return the tables of the copy that the state names, by the names that they were copied from."""
        (backup,) = tables["meta"].column("backup")
        if self.warehouse.engine == "duckdb":
            with duckdb.connect(self.folder / backup, read_only=True) as connection:
                return duckdb_tables(connection)
        prefix = backup.lower()
        return {name.removeprefix(prefix): table for name, table in tables.items() if name.startswith(prefix)}


def state_of(version: int, engine: Engine) -> str:
    """Return the statements that rebuild a state."""
    return (STATES / f"version_{version}" / f"{engine}.sql").read_text(encoding="utf-8")


def shown(tables: Mapping[str, Table], engine: Engine) -> str:
    """Return a state as statements, but for the lease and the name of its copy."""
    has_backup = any(name.lower() == "backup" for name, _ in tables["meta"].columns)
    backups = tables["meta"].column("backup") if has_backup else []
    names = {backup: "the copy" for backup in backups if backup}
    cased = {name if engine == "duckdb" else name.upper(): table for name, table in tables.items()}
    return without_lease(state_as_sql(cased, engine, names))


def without_lease(text: str) -> str:
    """Return the statements that rebuild a state, but for its lease."""
    return ";\n".join(each for each in split_statements(text) if '"lease"' not in each.lower())


def own(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Return the tables of the state itself, without those of its copies."""
    return {name: table for name, table in tables.items() if not name.startswith("backup_")}


@pytest.fixture(params=ENGINES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OldState]:
    """Return a warehouse for states."""
    with ExitStack() as stack:
        if request.param == "duckdb":
            duckdb.connect(tmp_path / "shop.duckdb").close()
            yield OldState(duckdb_warehouse(tmp_path), tmp_path, "")
        else:
            server: Server = request.getfixturevalue("server")
            database = new_database()
            warehouse = stack.enter_context(snowflake_warehouse(server, database))
            yield OldState(warehouse, tmp_path, database)


# Version 1 is brought through the changes of all later ones, so that on Snowflake those between are part of
# the long suite. Version 3 is migrated there by the two tests below.
MIGRATED = [
    pytest.param(engine, version, marks=pytest.mark.long)
    if engine == "snowflake" and version not in {1, VERSIONS[-1]}
    else (engine, version)
    for engine in ENGINES
    for version in VERSIONS
]


@pytest.mark.parametrize(("old", "version"), MIGRATED, indirect=["old"])
def test_a_state_of_any_version_is_migrated(old: OldState, version: int) -> None:
    """Table by table and row by row; and only once. A copy is kept, and a read-only command makes its own."""
    old.put(version)
    check_read_only(old, version)
    (event,) = old.open()
    assert isinstance(event, StateMigrated)
    assert (event.old_version, event.new_version) == (version, STATE_VERSION)
    tables = old.tables()
    migrated = shown(own(tables), old.warehouse.engine)
    assert migrated == without_lease(state_of(STATE_VERSION, old.warehouse.engine))
    check_backup(old, tables, version, event.backup)
    assert old.open() == []
    assert shown(own(old.tables()), old.warehouse.engine) == migrated


def check_read_only(old: OldState, version: int) -> None:
    """Check that a plan or a status of an older state reads a migrated copy, and changes no table or file."""
    before = {path: path.read_bytes() for path in old.folder.iterdir()}
    with old.session(read_only=True) as session:
        open_state(session, old.clock)
        table = session.dialect.state_table("row_exceptions")
        assert session.fetch(Statement.read(f"SELECT COUNT(*) FROM {table}")) != [(0,)]
        open_state(session, old.clock)
    assert {path: path.read_bytes() for path in old.folder.iterdir()} == before
    assert state_as_sql(old.warehouse.state(), old.warehouse.engine, {}) == state_of(
        version, old.warehouse.engine
    )


def check_backup(old: OldState, tables: Mapping[str, Table], version: int, backup: str) -> None:
    """Check that the copy of the old state is whole, private to its user, and the only new file."""
    if old.warehouse.engine == "duckdb":
        assert (old.folder / backup).stat().st_mode & 0o777 == 0o600
        assert {each.name for each in old.folder.iterdir()} == {
            "shop.duckdb",
            "shop.reverse_etl.duckdb",
            backup,
        }
    copied = shown(old.copied(tables), old.warehouse.engine)
    assert copied == without_lease(state_of(version, old.warehouse.engine))


def test_rows_of_the_surfaces_of_version_3_are_migrated(old: OldState) -> None:
    """Also a model's own table gets its new name, with all its columns; the copy has the old one."""
    old.put(STATE_VERSION, surfaces=True)
    expected = shown(old.tables(), old.warehouse.engine)
    old.put(3, surfaces=True)
    original = shown(old.tables(), old.warehouse.engine)
    old.open()
    assert shown(own(old.tables()), old.warehouse.engine) == expected
    assert shown(old.copied(old.tables()), old.warehouse.engine) == original


def test_a_state_of_an_early_version_3_gets_the_tables_that_it_lacks(old: OldState) -> None:
    """The version was changed while it was made: programs wrote states of it with fewer tables."""
    old.put(3)
    with old.session() as session:
        for name in migrations.NEW_TABLES_BY_VERSION[3]:
            table = session.dialect.state_table(name)
            session.execute(Statement.drop(table, f"DROP TABLE {table}"))
    old.open()
    migrated = shown(own(old.tables()), old.warehouse.engine)
    assert migrated == without_lease(state_of(STATE_VERSION, old.warehouse.engine))


@pytest.mark.parametrize(
    ("old", "nth"),
    [
        ("duckdb", None),
        ("duckdb", 3),
        ("snowflake", 3),
        pytest.param("snowflake", None, marks=pytest.mark.long),
    ],
    indirect=["old"],
)
def test_a_version_can_add_a_table(old: OldState, nth: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there once, and empty, wherever the migration was killed; a read-only command has it too."""
    new_tables = {
        **migrations.NEW_TABLES_BY_VERSION,
        STATE_VERSION: {
            **migrations.NEW_TABLES_BY_VERSION[STATE_VERSION],
            "added": "account_id VARCHAR, hits BIGINT",
        },
    }
    monkeypatch.setattr(migrations, "NEW_TABLES_BY_VERSION", new_tables)
    old.put(STATE_VERSION - 1)
    if nth is not None:
        assert dies_at(old, nth, monkeypatch)
        old.clock.sleep(LEASE_SECONDS + 1)
    with old.session(read_only=True) as session:
        open_state(session, old.clock)
        assert [name.lower() for name in session.state_columns("added")] == ["account_id", "hits"]
    assert len(old.open()) == 1
    added = old.tables()["added"]
    assert [name.lower() for name, _ in added.columns] == ["account_id", "hits"]
    assert added.rows == []
    assert "added" not in old.copied(old.tables())


def dies_at(old: OldState, nth: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Open the state, die at the nth statement that changes something, and return whether it came to that."""
    left = [nth]

    def dying(execute: Callable[..., None]) -> Callable[..., None]:
        def call(session: DuckDB | Snowflake, statement: Statement) -> None:
            left[0] -= 1
            if left[0] <= 0:  # the dead do nothing more
                raise Interrupted
            execute(session, statement)

        return call

    with monkeypatch.context() as patched:
        for adapter in (DuckDB, Snowflake):
            patched.setattr(adapter, "execute", dying(adapter.execute))
        try:
            old.open()
        except Interrupted:
            return True
    return False


NEWEST_OLD = VERSIONS[-1]
# Version 1 is brought through the changes of all later ones; version 3 has tables of models to rename.
KILLS = [
    ("duckdb", NEWEST_OLD, 3),
    ("duckdb", 3, 7),
    ("duckdb", 1, 11),
    ("snowflake", 1, 19),
]


@pytest.mark.parametrize(
    ("old", "version", "every"),
    [
        *KILLS,
        *(
            pytest.param(engine, version, 1, marks=pytest.mark.long)
            for engine in ENGINES
            for version in VERSIONS
            if (engine, version, 1) not in KILLS
        ),
    ],
    indirect=["old"],
)
def test_a_migration_may_be_killed_at_any_statement(
    old: OldState, version: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one ends in the same state, and goes on from a copy that is whole."""
    surfaces = version >= 3
    old.put(version, models=False, surfaces=surfaces)
    original = shown(old.tables(), old.warehouse.engine)
    old.open()
    expected = shown(own(old.tables()), old.warehouse.engine)
    nth = 1
    old.put(version, models=False, surfaces=surfaces)
    while dies_at(old, nth, monkeypatch):
        old.clock.sleep(LEASE_SECONDS + 1)
        old.open(read_only=True)
        old.open()
        tables = old.tables()
        assert shown(own(tables), old.warehouse.engine) == expected, f"died at statement {nth}"
        assert shown(old.copied(tables), old.warehouse.engine) == original, f"died at statement {nth}"
        old.put(version, models=False, surfaces=surfaces)
        nth += every
    assert nth > 5


@pytest.mark.parametrize("old", ["snowflake"], indirect=True)
def test_a_migration_waits_for_a_running_run(old: OldState) -> None:
    """A run of an earlier version holds its lease. On DuckDB only one process can write the file."""
    old.put(1)
    old.clock.time = BEFORE_THE_LEASE_ENDS
    with pytest.raises(WarehouseError, match="in progress"):
        old.open()
    assert state_as_sql(old.warehouse.state(), old.warehouse.engine, {}) == state_of(1, old.warehouse.engine)


@pytest.mark.parametrize("old", ["snowflake"], indirect=True)
def test_one_of_two_simultaneous_migrations_is_refused(
    old: OldState, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.put(1)
    back_up = Snowflake.back_up_state
    refused = []

    def interrupted(session: Snowflake, tables: Sequence[str], label: str) -> str:
        with pytest.raises(WarehouseError, match="in progress"):
            old.open()
        refused.append(label)
        return back_up(session, tables, label)

    monkeypatch.setattr(Snowflake, "back_up_state", interrupted)
    assert len(old.open()) == 1
    assert len(refused) == 1
    assert old.open() == []


@pytest.mark.parametrize("column", ["version", "migrating_to"])
def test_a_newer_state_is_refused(old: OldState, column: str) -> None:
    """Also one that a newer program began to migrate; it is left as it is."""
    old.put(STATE_VERSION)
    change = f"UPDATE {{}} SET {column} = {STATE_VERSION + 1}"
    with old.session() as session:
        meta = session.dialect.state_table("meta")
        session.execute(Statement.change(meta, change.format(meta)))
    before = state_as_sql(old.warehouse.state(), old.warehouse.engine, {})
    for read_only in (False, True):
        with pytest.raises(UsageError, match="newer reverse-etl") as refused:
            old.open(read_only=read_only)
        assert "Upgrade" in refused.value.problems[0].hint
    assert state_as_sql(old.warehouse.state(), old.warehouse.engine, {}) == before


@pytest.mark.parametrize("old", ["duckdb"], indirect=True)
def test_without_space_for_a_backup_nothing_is_changed(old: OldState) -> None:
    old.put(1)
    (old.folder / ".shop.reverse_etl.copy").write_text("a file is in the way")
    with pytest.raises(WarehouseError, match="copy of the state") as refused:
        old.open()
    assert "shop.reverse_etl.v1_" in refused.value.problems[0].where
    assert state_as_sql(old.warehouse.state(), old.warehouse.engine, {}) == state_of(1, "duckdb")


def test_the_tables_of_each_version_are_written_down() -> None:
    """A version that is new needs its own entry: a later one copies and changes what it names."""
    assert {*migrations.TABLES_BY_VERSION} == {*range(1, STATE_VERSION + 1)}
    assert {*migrations.TABLES_BY_VERSION[STATE_VERSION]} == {*SHARED_TABLES}
    assert {*migrations.NEW_TABLES_BY_VERSION} == {*migrations.CHANGES_BY_VERSION}
    assert {*migrations.RENAMED_MODEL_TABLES_BY_VERSION} == {*migrations.CHANGES_BY_VERSION}


def test_a_version_has_the_tables_of_the_one_before_and_new_ones() -> None:
    """Every table of a version is there before, has a new name, or is created."""
    for version, changes in migrations.CHANGES_BY_VERSION.items():
        new_names = {change.old_name: change.name for change in changes if change.old_name}
        kept = {new_names.get(name, name) for name in migrations.TABLES_BY_VERSION[version - 1]}
        new_tables = {*migrations.NEW_TABLES_BY_VERSION[version]}
        assert {*migrations.TABLES_BY_VERSION[version]} == kept | new_tables
        assert not kept & new_tables


def test_new_tables_have_the_columns_of_a_new_state() -> None:
    for name, columns in migrations.NEW_TABLES_BY_VERSION[STATE_VERSION].items():
        assert columns == SHARED_TABLES[name]
