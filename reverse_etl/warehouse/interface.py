"""The port to a warehouse: it runs statements, stages models and stores the state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.domain.columns import Column
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
    from reverse_etl.warehouse.statement import Statement, TableName

Row = tuple[Any, ...]
ResultT = TypeVar("ResultT")


class Warehouse(Protocol):
    """One session with one warehouse. One thread uses it, and the tasks of `run_each`.

    Every method raises WarehouseError when the warehouse fails; earlier commits stay. If a session ends by
    itself, the next statement opens a new one. SessionLost means that data was lost with the old session.
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

    def max_sort_rows(self, rows: int) -> int:
        """Return how many of these wide rows are sorted at once in bounded memory; all, without a bound."""
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
        """Commit the statements inside together, or none of them if one raises.

        Do not create or alter tables inside.
        """
        ...

    def schema_transaction(self) -> AbstractContextManager[None]:
        """Commit what is run inside as one, if tables can be created in a transaction; if not, one by one."""
        ...

    def run_each(self, tasks: Sequence[Callable[[], ResultT]]) -> Iterator[ResultT]:
        """Run tasks that run statements, and yield their results in the order of the tasks.

        A warehouse may run several tasks at the same time. So do not call it inside `transaction`, and let no
        task write a table that another task reads or writes. A task that fails raises its error in the place
        of its result; then the tasks after it are stopped or do not begin. Tasks set query tags for
        themselves alone.
        """
        ...

    def staging(self) -> AbstractContextManager[None]:
        """Make the models' sources readable inside this context, and only there."""
        ...

    def sending(self) -> AbstractContextManager[None]:
        """Run the statements inside while requests are sent: they are few and small.

        A warehouse that is paid by the minute may run them in a cheaper place.
        """
        ...

    @property
    def min_write_interval(self) -> float:
        """Return how many seconds should lie between small writes while a run waits for Klaviyo.

        It is 0 unless a write wakes something that is paid by the minute.
        """
        ...

    def second_session(self) -> AbstractContextManager[Warehouse]:
        """Open another session with the same tables, for a thread whose statements run beside this one's.

        It has none of the temporary tables of this session.
        """
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

    def read_relation_facts(self, names: Sequence[RelationName]) -> Mapping[RelationName, RelationFacts]:
        """Return what proves that tables and views did not change, of the names of which that is known.

        Call it inside `staging`, before the rows are read: a later change shows the next time.
        """
        ...

    def read_state_versions(self, tables: Sequence[TableName]) -> Sequence[str] | None:
        """Return of each state table a text that changes with its rows; None if that is not known.

        A state that can only be restored as a whole needs none: the texts are ''.
        """
        ...

    @property
    def read_only(self) -> bool:
        """Return whether this session may change only what ends with it."""
        ...

    def back_up_state(self, tables: Sequence[str], label: str) -> str:
        """Copy the state's tables under a name that contains `label`; return where the copy is.

        Not inside `transaction`. The copy is complete when it has the last of the tables.
        """
        ...

    def copy_state(self, tables: Sequence[str]) -> None:
        """Use a copy of the state for the rest of this read-only session; the copy ends with it."""
        ...

    def close(self) -> None:
        """End the session and its temporary tables. May be called twice."""
        ...
