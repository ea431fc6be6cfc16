"""One stand-in for all tests here, an account where it is asked for, and the core's world on them."""

from __future__ import annotations

import os

import pytest

from tests.core.world import World
from tests.warehouse.snowflake_accounts import ACCOUNTS, Server, account_of
from tests.warehouse.snowflake_world import SnowflakeWorld


@pytest.fixture(scope="session")
def server():
    """Start the stand-in."""
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="session")
def live_account():
    """Read how to sign in to the account of `make test-live`."""
    return account_of(os.environ)


@pytest.fixture
def named_account(request):
    """Return what gives the stand-in or the account by its name in ACCOUNTS."""
    fixtures = {"stand_in": "server", "account": "live_account"}
    return lambda name: request.getfixturevalue(fixtures[name])


@pytest.fixture(params=ACCOUNTS)
def account(request, named_account):
    """Return the stand-in, and under the mark `live` the account; what is pretended ends with the test."""
    found = named_account(request.param)
    found.calm()
    yield found
    found.calm()


@pytest.fixture
def place(account):
    """Make a place in the account."""
    made = account.place()
    yield made
    made.close()


@pytest.fixture
def make_world(tmp_path, named_account):
    """Return what makes a world with rules of its own, on the stand-in unless a test names a warehouse."""
    made = []

    def make(name="project", *, warehouse="stand_in", **options):
        if warehouse == "duckdb":
            made.append(World(tmp_path / name, **options))
        else:
            made.append(SnowflakeWorld(tmp_path / name, named_account(warehouse), **options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world):
    """Make a world on the stand-in."""
    return make_world()
