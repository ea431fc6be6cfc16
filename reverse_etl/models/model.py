"""A compiled model: what the rest of the package knows of an SQL file."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import orjson

from reverse_etl.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.models.config import ModelConfig, PayloadColumn


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `path` is relative to the project's folder. `sql` is one SELECT in the output's dialect, without a
    semicolon or comments around it; `lines` are the file's lines (from 1) on which its lines stand, none for
    a dbt model that is itself to be sent. `columns` are named as the warehouse will report them, but that
    DuckDB may report a column that is selected as it is in its table's own case. `reads` are dbt's unique
    ids, or bare names where there is no manifest. `checksum` changes with the SQL and the config.
    """

    name: str
    path: Path
    sql: str = field(repr=False)
    lines: tuple[int, ...] = field(repr=False)
    config: ModelConfig
    columns: tuple[str, ...]
    payload: tuple[PayloadColumn, ...]
    reads: tuple[str, ...]
    checksum: str


def both_drive(list_name: str, first: Model, second: Model) -> Problem:
    """Return what is wrong where two models drive one list: each would take off whom the other put on it."""
    return Problem(
        f"The list {list_name!r} is driven by the model {first.name}, and by {second.name} too.",
        f"{first.path} and {second.path}",
        "A list has one model: join the two with UNION, or give one of them another.",
    )


def checksum(sql: str, config: ModelConfig) -> str:
    """Return a text that changes with the SQL and the config."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    written = orjson.dumps(
        {
            **asdict(config),
            "identifiers": list(config.identifiers.items()),
            "target": [type(config.target).__name__, str(config.target)],
        },
        option=options,
    )
    return hashlib.sha256(sql.encode() + b"\0" + written).hexdigest()
