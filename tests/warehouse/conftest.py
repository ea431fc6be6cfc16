"""One stand-in for all tests here, an account where it is asked for, and the core's world on them."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.clocks import stop_while_in_flight
from tests.core.world import World
from tests.warehouse.snowflake_accounts import ACCOUNTS, account_of
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from tests.core.world import PrepareWorld
    from tests.warehouse.snowflake_accounts import Account, Place, Server


@pytest.fixture(scope="session")
def server(snowflake_server: Server) -> Server:
    """Return the stand-in."""
    return snowflake_server


@pytest.fixture(scope="session")
def live_account() -> Account:
    """Read how to sign in to the account of `make test-live`."""
    return account_of(os.environ)


@pytest.fixture
def named_account(request: pytest.FixtureRequest) -> Callable[[str], Account | Server]:
    """Return what gives the stand-in or the account by its name in ACCOUNTS."""
    fixtures = {"stand_in": "server", "account": "live_account"}
    return lambda name: request.getfixturevalue(fixtures[name])


@pytest.fixture(params=ACCOUNTS)
def account(
    request: pytest.FixtureRequest, named_account: Callable[[str], Account | Server]
) -> Iterator[Account | Server]:
    """Return the stand-in, and under the mark `live` the account; what is pretended ends with the test."""
    stand_in = named_account(request.param)
    stand_in.calm()
    yield stand_in
    stand_in.calm()


@pytest.fixture
def place(account: Account | Server) -> Iterator[Place]:
    """Make a place in the account."""
    made = account.place()
    yield made
    made.close()


@pytest.fixture
def make_snowflake_world(
    tmp_path: Path, named_account: Callable[[str], Account | Server], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SnowflakeWorld]]:
    """Return what makes a world with rules of its own, on the stand-in unless a test names an account.

    Its lease can expire, so that no time passes on its clock while a request is in flight.
    """
    with ExitStack() as worlds:

        def make(name: str = "project", *, account: str = "stand_in", **options: Any) -> SnowflakeWorld:
            made = SnowflakeWorld(tmp_path / name, named_account(account), **options)
            stop_while_in_flight(made.clock, monkeypatch)
            return worlds.enter_context(closing(made))

        yield make


@pytest.fixture
def make_world(
    tmp_path: Path, make_snowflake_world: Callable[..., SnowflakeWorld]
) -> Iterator[Callable[..., World]]:
    """Return what makes a world with rules of its own, on the stand-in unless a test names a warehouse."""
    with ExitStack() as worlds:

        def make(name: str = "project", *, warehouse: str = "stand_in", **options: Any) -> World:
            if warehouse == "duckdb":
                return worlds.enter_context(closing(World(tmp_path / name, **options)))
            return make_snowflake_world(name, account=warehouse, **options)

        yield make


@pytest.fixture
def world(make_snowflake_world: Callable[..., SnowflakeWorld]) -> SnowflakeWorld:
    """Make a world on the stand-in."""
    return make_snowflake_world()


@pytest.fixture
def prepare_world(world: SnowflakeWorld) -> PrepareWorld:
    """Return what lets a function prepare a world on the stand-in."""

    def prepare(function: Callable[[World], object]) -> World:
        function(world)
        return world

    return prepare


@pytest.fixture(params=ACCOUNTS)
def shop(
    request: pytest.FixtureRequest, make_snowflake_world: Callable[..., SnowflakeWorld]
) -> Iterator[SnowflakeWorld]:
    """Make a world in an account; what is pretended there ends with the test."""
    made = make_snowflake_world(account=request.param)
    yield made
    made.account.calm()
