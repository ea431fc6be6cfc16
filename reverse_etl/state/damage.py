"""Values in the state that no run writes: somebody changed them by hand, or a tool did."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ValueT = TypeVar("ValueT")


@contextmanager
def reading(table: str) -> Iterator[None]:
    """Report a stored value that can't be read as damage of a table. Also a decorator of what reads it."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise UsageError.of(
            f"The state is damaged: its table {table} has a value that no run writes ({error}).",
            hint="Restore the state from a backup, or correct the value: docs/state.md has the columns. "
            "Don't delete the state: a run without it removes nobody who left before.",
        ) from error


def require(value: ValueT | None) -> ValueT:
    """Return a stored value. Raises ValueError if it is NULL."""
    if value is None:
        raise ValueError("NULL in a column that always has a value")
    return value
