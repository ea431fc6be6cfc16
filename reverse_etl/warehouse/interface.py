"""The warehouse as the job sees it.

A place that runs statements, in which models can be staged and the state is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.statement import Statement

Row = tuple[Any, ...]


class Warehouse(Protocol):
    """One session with one warehouse. Not thread-safe: one thread speaks to it.

    Everything raises WarehouseError when the warehouse fails; what was committed before stays. Where
    a session can end by itself, the next statement opens another; SessionLost says that something ended with
    it.
    """

    @property
    def dialect(self) -> Dialect:
        """Return how statements for this warehouse are written."""
        ...

    @property
    def single_writer(self) -> bool:
        """Return whether having this session proves that no other process works on the same state."""
        ...

    @property
    def opening_notes(self) -> tuple[str, ...]:
        """Return what was changed to open the session, as sentences for the user."""
        ...

    @property
    def max_sort_rows(self) -> int | None:
        """Return how many wide rows are sorted at once in bounded memory; None where any number is."""
        ...

    def execute(self, statement: Statement) -> None:
        """Run one statement; committed at once unless inside `transaction`."""
        ...

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows of a small result, in its order."""
        ...

    def stream(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """Yield a result in its order, at most `size` rows at a time, in bounded memory.

        Other statements may run in between. Raises SessionLost if the rest is lost; the rows yielded
        before are correct.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what is run inside as one, or nothing of it when it raises.

        Creating or altering tables stays outside.
        """
        ...

    def staging(self) -> AbstractContextManager[None]:
        """Let the models' sources be read inside, and only inside."""
        ...

    def set_query_tag(self, **tags: str) -> None:
        """Set the tags of the following statements: their `run`, their `model`.

        Tags stay until they are set again. A warehouse without a query history does nothing.
        """
        ...

    def describe(self, select: str) -> tuple[Column, ...]:
        """Return the output columns of a query, in order, without running it."""
        ...

    def state_columns(self, table: str) -> Mapping[str, Column]:
        """Return the columns of a state table by name, in order; empty when there is no such table."""
        ...

    @property
    def read_only(self) -> bool:
        """Return whether nothing that outlives this session may be changed."""
        ...

    def back_up_state(self, tables: Sequence[str], label: str) -> str:
        """Keep a copy of the state's tables under a name with `label`; return where it lies.

        Not inside `transaction`. The copy is whole once the last of the tables is in it.
        """
        ...

    def copy_state(self, tables: Sequence[str]) -> None:
        """Let the rest of this read-only session work on a copy of the state, which is gone with it."""
        ...

    def close(self) -> None:
        """End the session; what is scratch is gone. May be called twice."""
        ...
