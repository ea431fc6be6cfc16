"""A model's SQL as parsed, and what is wrong with it; read without the parser, which takes long to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class Finding:
    """Something wrong with a query, and its offset in the text if known."""

    summary: str
    hint: str = ""
    offset: int | None = None


@dataclass(frozen=True)
class OutputColumn:
    """A column of the result, as named in the warehouse. `quoted` is whether the model quotes its name."""

    name: str
    quoted: bool
    offset: int | None


@dataclass(frozen=True)
class Query:
    """A parsed query. `sql` is its text without surrounding comments, `start` the offset of that text."""

    sql: str
    start: int
    tree: exp.Query
    columns: tuple[OutputColumn, ...]
    findings: tuple[Finding, ...]
