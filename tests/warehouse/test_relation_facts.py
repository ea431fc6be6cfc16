"""The proofs that tables did not change: the files of DuckDB, and what Snowflake says.

The stand-in for Snowflake has no SYSTEM$LAST_CHANGE_COMMIT_TIME: its replies are made up here, after its
reference. The real function has not been asked yet.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reverse_etl.errors import SessionLost, WarehouseError
from reverse_etl.warehouse.duckdb.relation_facts import compute_version, find_relations
from reverse_etl.warehouse.relation_facts import RelationName
from reverse_etl.warehouse.snowflake.relation_facts import read_last_changes, read_relation_facts

if TYPE_CHECKING:
    from reverse_etl.warehouse.statement import Statement

OWN = frozenset({"memory"})


def version(path: Path, *, type_: str = "duckdb", read_only: bool = True, macros: int = 0) -> str:
    """Return the version of a session with one database."""
    return compute_version([("shop", str(path), type_, read_only, macros)], OWN)


def change(path: Path, *statements: str) -> None:
    """Change a database and close it."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_file_of_duckdb_has_another_version_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.duckdb"
    change(path, "CREATE TABLE t AS SELECT 1 AS x")
    versions = [version(path)]
    for statements in (["INSERT INTO t VALUES (2)"], ["DELETE FROM t"], ["ALTER TABLE t ADD COLUMN y INT"]):
        change(path, *statements)
        versions.append(version(path))
    assert "" not in versions
    assert len({*versions}) == len(versions)
    shutil.copy2(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)  # the same content, times and size: another file
    versions.append(version(path))
    monkeypatch.setattr(duckdb, "__version__", "another")  # which may compute other values
    versions.append(version(path))
    assert "" not in versions
    assert len({*versions}) == len(versions)


def test_nothing_is_known_of_what_is_no_closed_file_of_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    change(path, "CREATE TABLE t AS SELECT 1 AS x")
    assert version(path)
    assert version(path, type_="postgres") == ""
    assert version(path, read_only=False) == ""
    assert version(path, macros=1) == ""
    assert version(tmp_path / "missing.duckdb") == ""
    assert version(Path("md:shop")) == ""
    (tmp_path / "shop.duckdb.wal").touch()
    assert version(path) == ""
    assert compute_version([("memory", None, "duckdb", False, 0)], OWN) == ""


def test_a_name_means_one_relation_of_duckdb_or_none() -> None:
    here = ("shop", "main")
    rows = [
        (*names, sql, *here)
        for *names, sql in [
            ("shop", "main", "people", ""),
            ("shop", "crm", "people", "CREATE VIEW crm.people AS SELECT 1;"),
            ("crm", "main", "orders", ""),
            ("shop", "crm", "orders", ""),
        ]
    ]
    names = {
        text: RelationName(*[""] * (3 - len(text.split("."))), *text.split("."))
        for text in ("people", "crm.people", "crm.orders", "shop.crm.orders", "nobody")
    }
    relations = find_relations([*names.values()], rows, "v1")
    assert {text: str(relations[name].full_name) for text, name in names.items() if name in relations} == {
        "people": "shop.main.people",
        "crm.people": "shop.crm.people",
        "shop.crm.orders": "shop.crm.orders",  # crm.orders alone may be a schema's or a database's
    }


@dataclass
class Account:
    """Replies as Snowflake's reference says."""

    relations: dict[str, list[tuple[Any, ...]]]
    tokens: dict[str, int | None]
    asked: list[str] = field(default_factory=list)
    error: WarehouseError | None = None

    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Return the reply to one of the two queries."""
        self.asked.append(statement.text)
        if self.error is not None:
            raise self.error
        if "INFORMATION_SCHEMA" in statement.text:
            database = statement.text.split('"')[1]
            return [row for row in self.relations.get(database, []) if row[1] in statement.parameters]
        return [tuple(token for name, token in self.tokens.items() if f"'{name}'" in statement.text)]


PEOPLE, VIEW = RelationName("", "", "PEOPLE"), RelationName("SHOP", "MARTS", "V")


def account(**changes: Any) -> Account:
    """Make an account with a table and a view; `changes` are other values of the table."""
    table: dict[str, Any] = {"kind": "table", "created": 1, "ddl": 2, "token": 3} | changes
    view = ("MARTS", "V", "view", 1, 1, "CREATE VIEW V AS SELECT * FROM PEOPLE")
    row = ("MARTS", "PEOPLE", table["kind"], table["created"], table["ddl"], None)
    return Account({"SHOP": [row, view]}, {'"SHOP"."MARTS"."PEOPLE"': table["token"]})


def test_the_version_of_a_snowflake_table_is_its_token_and_its_times() -> None:
    made = account()
    facts = read_relation_facts(made.fetch, [PEOPLE, VIEW], "SHOP", "MARTS")
    assert facts[PEOPLE].version == "1 2 3"
    assert str(facts[PEOPLE].full_name) == "SHOP.MARTS.PEOPLE"
    assert facts[VIEW].view_sql.startswith("CREATE VIEW")
    assert len(made.asked) == 2  # for all tables of a database together
    for changed in ({"token": 4}, {"created": 9}, {"ddl": 9}):
        again = read_relation_facts(account(**changed).fetch, [PEOPLE, VIEW], "SHOP", "MARTS")
        assert again[PEOPLE].version not in {"", facts[PEOPLE].version}


@pytest.mark.parametrize("changes", [{"token": None}, {"kind": None}, {"ddl": None}])
def test_nothing_is_known_of_other_tables_of_snowflake(changes: dict[str, Any]) -> None:
    facts = read_relation_facts(account(**changes).fetch, [PEOPLE], "SHOP", "MARTS")
    assert PEOPLE not in facts or facts[PEOPLE].version == ""


def test_a_table_that_the_role_cannot_look_at_is_not_known() -> None:
    made = account()
    made.error = WarehouseError.of("not authorized")
    assert read_relation_facts(made.fetch, [PEOPLE], "SHOP", "MARTS") == {}
    made.error = SessionLost.of("the session ended")
    with pytest.raises(SessionLost):
        read_relation_facts(made.fetch, [PEOPLE], "SHOP", "MARTS")
    assert read_last_changes(made.fetch, []) == []
