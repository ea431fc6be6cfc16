"""One world a test, and a way to make others."""

from __future__ import annotations

import pytest

from tests.core.world import World


@pytest.fixture
def make_world(tmp_path):
    """Return what makes a world with rules of its own."""
    made = []

    def make(name="project", **options):
        made.append(World(tmp_path / name, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world):
    """Make a world."""
    return make_world()
