"""The rules of each engine's outputs in profiles.yml, as its dbt adapter reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from reverse_etl.config import duckdb_output
from reverse_etl.domain.engine import Engine

Settings: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class OutputRules:
    """How the rendered settings of an output are read.

    `find_database` returns the database in which dbt builds. `find_unreadable_databases` returns the
    databases that dbt reads and no model can, in lower case, with what each of them is.
    `unsupported_options` are the keys of a destination that do not fit the engine, with the reason and the
    advice.
    """

    find_problem: Callable[[Settings], duckdb_output.OutputProblem | None]
    find_database: Callable[[Settings], str]
    find_unreadable_databases: Callable[[Settings], Mapping[str, str]]
    unsupported_options: Mapping[str, tuple[str, str]]


_STATE_IS_A_FILE: Final = ("its state is a file", "Remove it. To choose the file: state_path")
_DUCKDB: Final = OutputRules(
    duckdb_output.find_path_problem,
    duckdb_output.default_database,
    duckdb_output.unreadable_databases,
    {
        "state_schema": _STATE_IS_A_FILE,
        "state_database": _STATE_IS_A_FILE,
        "sending_warehouse": ("it has no warehouses", "Remove it."),
    },
)
_SNOWFLAKE: Final = OutputRules(
    lambda _settings: None,
    lambda settings: str(settings.get("database") or ""),
    lambda _settings: {},
    {"state_path": ("its state is a schema", "Remove it. To choose the schema: state_schema")},
)


def output_rules(engine: Engine) -> OutputRules:
    """Return the rules of an engine's outputs."""
    match engine:
        case Engine.DUCKDB:
            return _DUCKDB
        case Engine.SNOWFLAKE:
            return _SNOWFLAKE
        case _:
            assert_never(engine)
