"""Lets a process die at its nth call of some methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.core.world import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


def die_at(monkeypatch: pytest.MonkeyPatch, owner: type, names: tuple[str, ...], nth: int) -> None:
    """Let the process die at the nth call of some methods."""
    left = [nth]

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                raise Interrupted
            return method(*arguments)

        return call

    for name in names:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))


def run_until_killed(shop: World, nth: int, owner: type, *names: str, **options: Any) -> bool:
    """Run, die at the nth call, and return whether it came to that."""
    with pytest.MonkeyPatch.context() as patched:
        die_at(patched, owner, names, nth)
        try:
            shop.run(**options)
        except Interrupted:
            return True
    return False
