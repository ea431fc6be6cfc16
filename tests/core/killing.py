"""Lets a process die at its nth call of some methods, or at its nth event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.world import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


def die_at(monkeypatch: pytest.MonkeyPatch, owner: type, names: tuple[str, ...], nth: int) -> list[int]:
    """Let the process die at the nth call of some methods. Return how many calls are left until then."""
    left = [nth]

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:  # the dead do nothing more
                raise Interrupted
            return method(*arguments)

        return call

    for name in names:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return left


def run_until_killed(shop: World, nth: int, owner: type, *names: str, **options: Any) -> bool:
    """Run, die at the nth call, and return whether it came to that."""
    with pytest.MonkeyPatch.context() as patched:
        die_at(patched, owner, names, nth)
        try:
            shop.run(**options)
        except Interrupted:
            return True
    return False


def dies_at_statement(world: World, nth: int, **options: Any) -> bool:
    """Run, die at the nth statement, and return whether it came to that."""
    return run_until_killed(world, nth, DuckDB, "execute", "fetch", **options)


def nth_event(nth: int) -> Callable[[Any], bool]:
    """Return what picks the nth event, for `World.dies`."""
    left = [nth]

    def at(_: Any) -> bool:
        left[0] -= 1
        return left[0] == 0

    return at
