"""The property of convergence, with the warehouse in Snowflake."""

from __future__ import annotations

from functools import partial

import pytest
import test_convergence
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from snowflake_world import SnowflakeWorld


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_after_faults_stop_the_lists_become_what_the_models_say(server, monkeypatch):
    """On any warehouse two runs suffice, and the next sends nothing."""
    monkeypatch.setattr(test_convergence, "World", partial(SnowflakeWorld, account=server))
    some = settings(
        max_examples=25,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=test_convergence.QUIET,
    )
    run_state_machine_as_test(test_convergence.Shop, settings=some)
