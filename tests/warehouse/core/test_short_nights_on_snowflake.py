"""The tests of tests/core/test_short_nights.py in Snowflake, whose threads are real ones."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.core import test_convergence, test_short_nights
from tests.core.random_days import live_many_days
from tests.core.test_short_nights import EVERYTHING, Shop, check_kill, check_kills
from tests.warehouse.snowflake_world import SnowflakeWorld, kill_sessions, tell_changes

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Server


@pytest.fixture(autouse=True)
def sessions(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests kill a session of Snowflake, and let the stand-in say when tables change."""
    kill_sessions(monkeypatch, test_short_nights)
    tell_changes(monkeypatch)
    monkeypatch.setattr(test_short_nights, "at_once", nullcontext)
    monkeypatch.setattr(test_convergence, "World", partial(SnowflakeWorld, account=server))


def test_a_run_with_all_of_them_may_be_killed(world: SnowflakeWorld) -> None:
    """In its middle."""
    shop = Shop(world, EVERYTHING)
    shop.next_day()
    shop.run()
    assert check_kill(shop, 45)
    assert shop.skipped()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_run_may_be_killed_between_any_two_statements(world: SnowflakeWorld, first: int) -> None:
    """The three tests together die at each statement."""
    check_kills(Shop(world, EVERYTHING), first, step=3)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_lists_converge_in_many_examples() -> None:
    live_many_days(test_short_nights.ShopWithAll, examples=4, steps=15)
