"""SQL as a value: a statement with its bound parameters, and what a dialect says about names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reverse_etl.engines import Engine


@dataclass(frozen=True)
class Statement:
    """One SQL statement with `?` for each parameter, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """An engine, and the prefixes of the two places our tables lie in.

    `state` holds what outlives a run; `scratch` holds what one session needs and is gone with it.
    """

    engine: Engine
    state: str
    scratch: str

    def kept(self, table: str) -> str:
        """Return the full name of a state table."""
        return f"{self.state}.{quote(table)}"

    def passing(self, table: str) -> str:
        """Return the full name of a scratch table."""
        return f"{self.scratch}.{quote(table)}"


def quote(name: str) -> str:
    """Return `name` as a delimited identifier (SQL:2023 part 2, <delimited identifier>)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as a character string literal."""
    return "'" + text.replace("'", "''") + "'"


def listing(names: Iterable[str], prefix: str = "") -> str:
    """Return quoted names, comma-separated, each with an optional table prefix such as `d.`."""
    return ", ".join(prefix + quote(name) for name in names)
