"""The property of convergence, with the warehouse in Snowflake."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.core import test_convergence
from tests.core.random_days import live_few_days, live_many_days
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Server


@pytest.fixture
def on_snowflake(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the property's shop be in a Snowflake."""
    monkeypatch.setattr(test_convergence, "World", partial(SnowflakeWorld, account=server))


@pytest.mark.usefixtures("on_snowflake")
def test_lists_converge_once_faults_stop() -> None:
    """On any warehouse two runs suffice, and the next sends nothing."""
    live_few_days(test_convergence.ShopMachine, examples=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("on_snowflake")
@pytest.mark.parametrize("shop", [test_convergence.ShopMachine, test_convergence.ShopWithUpdatedAt])
def test_lists_converge_once_faults_stop_in_many_examples(shop: type[test_convergence.ShopMachine]) -> None:
    live_many_days(shop, examples=4, steps=15)
