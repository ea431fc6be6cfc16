"""Queries of the tables that all models share, which one statement can read together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.interface import Row


@dataclass(frozen=True)
class SharedQuery:
    """A query with a small result: its columns as expressions, what follows them, and its order.

    `tables` are those that it reads. All values are texts, but for the columns of which `integers` and
    `booleans` have the positions. `order_by` names columns of the tables, or of the groups.
    """

    tables: tuple[str, ...]
    columns: tuple[str, ...]
    source: str
    order_by: str
    parameters: tuple[Any, ...]
    integers: tuple[int, ...] = ()
    booleans: tuple[int, ...] = ()

    @property
    def statement(self) -> Statement:
        """Return the query as a statement of its own."""
        columns = ", ".join(self.columns)
        return Statement.read(f"SELECT {columns}\n{self.source} ORDER BY {self.order_by}", self.parameters)

    @property
    def texts(self) -> list[str]:
        """Return the columns as texts; a sum may have decimals otherwise."""
        return [
            f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
            if index in self.integers
            else f"CAST({column} AS VARCHAR)"
            for index, column in enumerate(self.columns)
        ]

    def parse(self, texts: Sequence[str | None]) -> Row:
        """Return a row whose values are given as texts, and NULLs after its last column."""
        return tuple(self._parse(index, text) for index, text in enumerate(texts[: len(self.columns)]))

    def _parse(self, index: int, text: str | None) -> Any:
        if text is None:
            return None
        if index in self.integers:
            return int(text)
        return text == "true" if index in self.booleans else text


def select_together(queries: Sequence[SharedQuery]) -> Statement:
    """Return one statement with the rows of all queries: the query's index, the row's position, and texts."""
    width = max(len(query.columns) for query in queries)
    parts = []
    for index, query in enumerate(queries):
        texts = query.texts
        texts += ["CAST(NULL AS VARCHAR)"] * (width - len(texts))
        names = [f"{text} AS retl_{position}" for position, text in enumerate(texts)]
        place = f"ROW_NUMBER() OVER (ORDER BY {query.order_by}) AS retl_position"
        parts.append(f"SELECT {index} AS retl_query, {place}, {', '.join(names)}\n{query.source}")
    parameters = tuple(value for query in queries for value in query.parameters)
    text = "\nUNION ALL\n".join(parts)
    return Statement.read(f"{text}\nORDER BY retl_query, retl_position", parameters)


def split_rows(queries: Sequence[SharedQuery], rows: Sequence[Row]) -> Sequence[list[Row]]:
    """Return the rows of each query from those of `select_together`."""
    results: list[list[Row]] = [[] for _ in queries]
    for index, _, *texts in rows:
        results[int(index)].append(queries[int(index)].parse(texts))
    return results
