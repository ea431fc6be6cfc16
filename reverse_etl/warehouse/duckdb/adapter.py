"""The warehouse in a DuckDB file, and the state in a file of its own beside it.

The session's main database is in memory and holds what is scratch; it spills to a folder of its own. The
warehouse file is attached read-only and only while models are staged, so that dbt can build while requests go
out. The state file is ours alone.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.formatting import sentence
from reverse_etl.warehouse.duckdb.settings import session_output
from reverse_etl.warehouse.statement import Dialect, Statement, literal, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.warehouse.interface import Row

STATE = "reverse_etl_state"
_TAKEN = {"memory", "temp", "system", STATE}  # databases that DuckDB or this job has in a session
_BYTES_A_ROW = 1_280  # of memory, for each of the wide rows that are sorted at once
_MOST_SORTED = 500_000  # of them: with more the first is long in coming
_FEWEST_SORTED = 10_000  # each part reads the staged rows again
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")  # as DuckDB writes a limit
DIALECT = Dialect(Engine.DUCKDB, state=f"{quote(STATE)}.main", scratch="memory.main")


class DuckDB:
    """A session with a DuckDB warehouse. Implements `warehouse.Warehouse`."""

    dialect = DIALECT
    exclusive = True  # DuckDB lets one process write a file

    def __init__(
        self, settings: Mapping[str, Any], *, read_only: bool, places: Mapping[str, str] | None = None
    ) -> None:
        """Open the state file of a dbt-duckdb output; with `read_only`, change no file.

        Missing state is an empty one in memory. `places` says of settings where they were written.
        """
        self._places = places or {}
        self._path = warehouse_path(settings)
        self._settings = settings
        self._asked = session_output(settings, self._places)
        self._spill = Path(tempfile.mkdtemp(prefix="reverse_etl_"))
        self._connection = duckdb.connect(":memory:")
        try:
            self._prepare()
            self._attach_state(read_only)
        except BaseException:
            self.close()
            raise

    def execute(self, statement: Statement) -> None:
        """Run one statement."""
        with _mapped(statement):
            self._connection.execute(statement.text, statement.parameters or None)

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows."""
        with _mapped(statement):
            return self._connection.execute(statement.text, statement.parameters or None).fetchall()

    def batches(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """Yield rows from a cursor of their own, so that other statements can run in between."""
        cursor = self._connection.cursor()
        try:
            with _mapped(statement):
                cursor.execute(statement.text, statement.parameters or None)
                rows = cursor.fetchmany(size)
            while rows:
                yield rows
                with _mapped(statement):
                    rows = cursor.fetchmany(size)
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is run inside as one."""
        self.execute(Statement.session("BEGIN TRANSACTION"))
        try:
            yield
            self.execute(Statement.session("COMMIT"))
        except BaseException:
            with suppress(duckdb.Error):  # a failed COMMIT may have ended it
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def staging(self) -> Iterator[None]:
        """Attach the warehouse read-only under dbt's database name; nothing else is in reach."""
        if not self._path.exists():
            raise self._missing()
        name, schema = (
            str(self._settings.get("database") or self._path.stem),
            str(self._settings.get("schema", "main")),
        )
        if name.lower() in _TAKEN:
            raise UsageError.of(
                f"The warehouse's database is called {name}, a name that is taken in every session with it.",
                where=self._places.get("path", _WHERE),
                advice="Rename the file, and let dbt build it under the new name.",
            )
        self._attach(self._path, name)
        try:
            for path, alias in self._asked.attach:
                self._attach(path, alias)
            self.execute(Statement.session("SET enable_external_access = false"))
            self._use(name, schema)
            yield
        finally:
            self._connection.execute("USE memory.main")
            for (attached,) in self._connection.execute(
                "SELECT database_name FROM duckdb_databases() "
                "WHERE NOT internal AND database_name NOT IN ('memory', ?)",
                [STATE],
            ).fetchall():
                self._connection.execute(f"DETACH {quote(attached)}")

    def _use(self, name: str, schema: str) -> None:
        try:
            self._connection.execute(f"USE {quote(name)}.{quote(schema)}")
        except duckdb.CatalogException:
            raise UsageError.of(
                f"The warehouse has no schema {schema}.",
                where=self._places.get("schema", "schema of the output in profiles.yml"),
                advice=f"Mend it, or run dbt build first; the file is {self._path}.",
            ) from None

    @cached_property
    def widest_sort(self) -> int:
        """Return how many rows the session's memory sorts well."""
        ((limit,),) = self.fetch(Statement.read("SELECT current_setting('memory_limit')"))
        return rows_sorted_well(limit)

    def tag(self, **work: str) -> None:
        """Do nothing: DuckDB keeps no history of statements."""

    def describe(self, select: str) -> tuple[Column, ...]:
        """Return a query's columns from DESCRIBE."""
        rows = self.fetch(Statement.read(f"DESCRIBE (\n{select}\n)"))
        return tuple(column(name, type_) for name, type_, *_ in rows)

    def kept_columns(self, table: str) -> Mapping[str, Column]:
        """Return a state table's columns from DESCRIBE; duckdb_columns() reads every table of the session."""
        asked = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?"
        if not self.fetch(
            Statement.read(asked, (STATE, table))
        ):  # asked first: an error would end a transaction
            return {}
        rows = self.fetch(Statement.read(f"DESCRIBE {self.dialect.kept(table)}"))
        return {name: column(name, type_) for name, type_, *_ in rows}

    def close(self) -> None:
        """Close the session and remove what it spilled."""
        self._connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def _prepare(self) -> None:
        self._connection.execute(f"SET temp_directory = {literal(str(self._spill))}")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")  # it would write to stdout
        self._connection.execute("SET preserve_insertion_order = false")
        # Most deltas of a run are gone at its end: at the default, 16MB, they would go into the file first.
        self._connection.execute("SET checkpoint_threshold = '256MB'")
        for name in self._asked.extensions:
            with _mapped(Statement.session(f"LOAD {name}")):
                self._connection.load_extension(name)
        for key, value in self._asked.settings:
            with _mapped(Statement.session(f"SET {key}")):
                self._connection.execute(f"SET {quote(key)} = {literal(value)}")
        if self._asked.threads:
            self._connection.execute(f"SET threads = {self._asked.threads}")

    def _attach_state(self, read_only: bool) -> None:  # noqa: FBT001 - one caller, above
        path = state_path(self._path)
        if not self._path.parent.is_dir():
            raise self._missing(f"There is no folder {self._path.parent}.")
        if not path.exists() and not self._path.exists():
            raise self._missing()
        if read_only and not path.exists():
            self._connection.execute(f"ATTACH ':memory:' AS {quote(STATE)}")
        else:
            self._attach(path, STATE, writable=not read_only)
            if read_only and not self.kept_columns("meta"):  # made, and never written to
                self._connection.execute(f"DETACH {quote(STATE)}")
                self._connection.execute(f"ATTACH ':memory:' AS {quote(STATE)}")

    def _missing(self, what: str = "") -> UsageError:
        where = self._places.get("path", _WHERE)
        return UsageError.of(
            what or f"There is no DuckDB file at {self._path}.", where=where, advice=_MEND_PATH
        )

    def _attach(self, path: Path, name: str, *, writable: bool = False) -> None:
        try:
            self._connection.execute(
                f"ATTACH {literal(str(path))} AS {quote(name)}" + ("" if writable else " (READ_ONLY)")
            )
        except duckdb.IOException as error:
            raise _cannot_open(path, error) from None
        except duckdb.Error as error:
            raise _unreadable(path, error) from None


def rows_sorted_well(memory_limit: str) -> int:
    """Return how many wide rows to sort at once under a limit as DuckDB writes it.

    What is sorted stays in memory until its last row is read. Each further part reads the staged rows again.

    >>> [rows_sorted_well(limit) for limit in ("61.0 MiB", "122.0 MiB", "18.8 GiB", "16383.9 PiB")]
    [49971, 99942, 500000, 500000]
    """
    number, _, unit = memory_limit.partition(" ")
    limit = float(number) * 1024 ** _UNITS.index(unit)
    return max(_FEWEST_SORTED, min(int(limit / _BYTES_A_ROW), _MOST_SORTED))


def warehouse_path(settings: Mapping[str, Any]) -> Path:
    """Return the resolved path of a dbt-duckdb output; a relative one is the current folder's, as in dbt."""
    path = str(settings.get("path", ":memory:"))
    if path.startswith((":memory:", "md:", "motherduck:")):
        raise UsageError.of(
            f"An output with the path {path} has no file that both dbt and this job can open.",
            where=_WHERE,
            advice="Give it a path to a .duckdb file.",
        )
    return Path(path).expanduser().resolve()


def state_path(warehouse: Path) -> Path:
    """Return where the state of a warehouse file lies: `shop.duckdb` has `shop.reverse_etl.duckdb`."""
    return warehouse.with_name(f"{warehouse.stem}.reverse_etl.duckdb")


def column(name: str, type_: str) -> Column:
    """Return a column with its kind.

    Types that only exist inside a database (ENUM) and texts of all sorts are kept as VARCHAR.
    """
    kind = kind_of(type_)
    return Column(name, kind, "VARCHAR" if kind is Kind.TEXT else type_)


def kind_of(type_: str) -> Kind:
    """Return what a DuckDB type holds ("Data Types" in DuckDB's SQL introduction)."""
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")):
        return Kind.NESTED
    return _KINDS.get(type_.partition("(")[0], Kind.TEXT)


_KINDS = {
    **dict.fromkeys(
        (
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
            "UHUGEINT",
            "BIGNUM",
        ),
        Kind.INTEGER,
    ),
    "DECIMAL": Kind.DECIMAL,
    "FLOAT": Kind.FLOAT,
    "DOUBLE": Kind.FLOAT,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "TIMESTAMP": Kind.TIMESTAMP,
    "TIMESTAMP_S": Kind.TIMESTAMP,
    "TIMESTAMP_MS": Kind.TIMESTAMP,
    "TIMESTAMP_NS": Kind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": Kind.TIMESTAMP_TZ,
    "BLOB": Kind.BINARY,
    "JSON": Kind.JSON,
}


@contextmanager
def _mapped(statement: Statement) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        advice = (
            _MORE_MEMORY if isinstance(error, duckdb.OutOfMemoryException) else "It is safe to run again."
        )
        raise WarehouseError.of(
            f"DuckDB: {sentence(_first_line(error))}", where=statement.opening, advice=advice
        ) from error


_MORE_MEMORY = "Let it have more, as in settings: {memory_limit: 2GB} of the output. It is safe to run again."
_WHERE = "path of the output in profiles.yml"
_MEND_PATH = "A relative path starts at the current folder, as in dbt. Mend it, or run dbt build first."


def _cannot_open(path: Path, error: duckdb.Error) -> WarehouseError:
    text = str(error)
    if "lock" not in text:
        return _unreadable(path, error)
    holder = re.search(r"Conflicting lock is held in (.+?)\.? See also", text)
    return WarehouseError.of(
        f"Another process holds the DuckDB file{': ' + holder.group(1) if holder else ''}.",
        where=str(path),
        advice="It may be a running dbt, another run of this job, or a database tool. "
        "Wait for it, or close it.",
    )


def _unreadable(path: Path, error: duckdb.Error) -> WarehouseError:
    state = ".reverse_etl." in path.name
    return WarehouseError.of(
        f"DuckDB could not open the file. {sentence(_first_line(error))}",
        where=str(path),
        advice="It should hold the state of this job; bring it back from a backup. Without its state, a run "
        "sends every row again and removes nobody who left before."
        if state
        else "Mend path of the output in profiles.yml, or build the file again with dbt.",
    )


def _first_line(error: BaseException) -> str:
    """Return what DuckDB says and proposes, without the value that did not fit: it may be somebody's."""
    first, *rest = str(error).split("\n")
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        first = re.sub(r"""(?:string |value )?(?<!\w)(["']).*\1(?!\w)""", "a value", first)
    hints = [line.strip() for line in rest if line.startswith(("Did you mean", "Candidate bindings"))]
    return " ".join([first, *hints])
