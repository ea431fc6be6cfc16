"""The settings of a DuckDB output, as in dbt-duckdb; wrong ones are reported with their location."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.config.duckdb_output import Attachment, database_name, find_path_problem
from reverse_etl.errors import UsageError
from reverse_etl.warehouse.duckdb.settings import SessionSettings, session_settings

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def test_an_output_is_read_as_dbt_duckdb_reads_it() -> None:
    """Extensions by name or with a repository, threads also as text, attached files also without an alias."""
    output = {
        "path": "shop.duckdb",
        "extensions": ["json", {"name": "spatial", "repo": "core"}],
        "settings": {"memory_limit": "2GB", "TimeZone": "Europe/Prague"},
        "threads": "4",
        "attach": [
            {"path": "data/other.dev.duckdb"},
            {"path": "more.duckdb", "alias": "m"},
            {"path": "crm.db", "type": "sqlite", "alias": "crm"},
            {"path": "s3://bucket/far.duckdb", "secret": "far", "read_only": False},
            {"path": "x.duckdb", "options": {"type": "duckdb", "encryption_key": "k", "read_only": False}},
            {"path": "md:shop"},
            {"path": "ducklake:shop.ducklake", "alias": "lake"},
            {"path": "meta.db", "alias": "pond", "is_ducklake": True},
        ],
    }
    assert session_settings(output, {}) == SessionSettings(
        extensions=("json", "spatial"),
        settings=(("memory_limit", "2GB"), ("TimeZone", "Europe/Prague")),
        threads=4,
        attachments=(
            Attachment("data/other.dev.duckdb", "other"),
            Attachment("more.duckdb", "m"),
            Attachment("crm.db", "crm", type="sqlite"),
            Attachment("s3://bucket/far.duckdb", "far", secret="far"),
            Attachment("x.duckdb", "x", type="duckdb", options=(("encryption_key", "k"),)),
        ),
    )


@pytest.mark.parametrize(
    "output", [{}, {"settings": None, "extensions": [], "threads": None, "attach": None}]
)
def test_an_output_may_have_no_settings(output: dict[str, list[Any] | None]) -> None:
    assert session_settings(output, {}) == SessionSettings()


@pytest.mark.parametrize(
    ("key", "value", "shape"),
    [
        ("threads", "abc", "a whole number"),
        ("threads", -1, "a whole number"),
        ("settings", ["a"], "a mapping"),
        ("settings", "x", "a mapping"),
        ("attach", [{"alias": "y"}], "a list of files with a path"),
        ("attach", "nonsense", "a list of files with a path"),
        ("attach", [{"path": "x", "type": "duckdb) --"}], "a list of files with a path"),
        ("attach", [{"path": "x", "options": {"a b": 1}}], "a list of files with a path"),
        ("secrets", [{"key_id": "x"}], "a list of secrets with a type"),
        ("secrets", [{"type": "s3", "key id": "x"}], "a list of secrets with a type"),
        ("extensions", [{"nme": "x"}], "a list of names"),
        ("extensions", "httpfs", "a list of names"),
    ],
)
def test_a_wrong_setting_is_reported_with_its_location(
    key: str, value: int | list[Any] | str, shape: str
) -> None:
    with pytest.raises(UsageError) as caught:
        session_settings({key: value}, {key: "profiles.yml:5"})
    (problem,) = caught.value.problems
    assert (problem.summary, problem.where) == (f"{key} of a DuckDB output is not {shape}.", "profiles.yml:5")
    assert f"{key}: " in problem.hint


def test_all_wrong_settings_are_reported_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        session_settings({"threads": "x", "attach": 1}, {})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "path", ["shop.duckdb", "shop.dev.duckdb", "data/.hidden.duckdb", "..a.b", "shop", ".duckdb"]
)
def test_a_database_is_called_as_duckdb_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """dbt-duckdb has the same rule: the file's name up to its first dot."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with duckdb.connect(path) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (database_name(path),)


@pytest.mark.parametrize(
    ("path", "name"), [("main.duckdb", "main"), ("Main.dev.duckdb", "Main"), ("temp.duckdb", "temp")]
)
def test_a_file_whose_database_duckdb_refuses_is_reported(path: str, name: str) -> None:
    """DuckDB itself opens main.duckdb as main_db, which dbt does not find either."""
    problem = find_path_problem({"path": path})
    assert problem is not None
    assert problem[0].startswith(f"A database is called {name},")
