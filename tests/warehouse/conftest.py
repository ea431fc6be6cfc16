"""One stand-in for all tests here, and the core's world on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

from core_world import World
from snowflake_world import Server, SnowflakeWorld


@pytest.fixture(scope="session")
def server():
    """Start the stand-in."""
    started = Server()
    yield started
    started.close()


@pytest.fixture
def make_world(tmp_path, request):
    """Return what makes a world with rules of its own, on Snowflake unless a test names an engine."""
    made = []

    def make(name="project", *, engine="snowflake", **options):
        if engine == "duckdb":
            made.append(World(tmp_path / name, **options))
        else:
            made.append(SnowflakeWorld(tmp_path / name, request.getfixturevalue("server"), **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world):
    """Make a world on Snowflake."""
    return make_world()
