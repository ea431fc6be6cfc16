"""One world a test, and a way to make others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Return what makes a world with rules of its own."""
    made = []

    def make(name: str = "project", **options: Any) -> World:
        made.append(World(tmp_path / name, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Make a world."""
    return make_world()
