"""A compiled model: what the rest of the package knows of an SQL file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.models.config import ModelConfig, PayloadColumn


@dataclass(frozen=True)
class Model:
    """A compiled model.

    `path` is relative to the project's folder. `sql` is one SELECT in the output's dialect, without a
    semicolon or comments around it; `lines` are the file's lines (from 1) on which its lines stand.
    `columns` are named as the warehouse will report them, but that DuckDB may report a column that is
    selected as it is in its table's own case. `reads` are dbt's unique ids, or bare names where there is no
    manifest. `checksum` changes with the SQL and the config.
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
