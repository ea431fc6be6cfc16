"""The property of convergence, with the warehouse in Snowflake."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core import test_convergence
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Server

QUIET = test_convergence.QUIET


@pytest.fixture
def on_snowflake(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the property's shop be in a Snowflake."""
    monkeypatch.setattr(test_convergence, "World", partial(SnowflakeWorld, account=server))


@pytest.mark.usefixtures("on_snowflake")
def test_lists_converge_once_faults_stop() -> None:
    """On any warehouse two runs suffice, and the next sends nothing."""
    few = settings(
        max_examples=1, stateful_step_count=8, derandomize=True, deadline=None, suppress_health_check=QUIET
    )
    run_state_machine_as_test(test_convergence.ShopMachine, settings=few)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("on_snowflake")
@pytest.mark.parametrize("shop", [test_convergence.ShopMachine, test_convergence.ShopWithUpdatedAt])
def test_lists_converge_once_faults_stop_in_many_examples(shop: type[test_convergence.ShopMachine]) -> None:
    many = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(shop, settings=many)
