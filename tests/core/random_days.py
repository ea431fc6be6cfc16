"""Random days that tests live through: always the same few by default, others each time in long tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

TIMES = int(os.environ.get("RETL_TIMES", "1"))  # the usual number of examples in long tests
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def live_few_days(machine: type[RuleBasedStateMachine], examples: int, steps: int = 8) -> None:
    """Let a machine live the same days every time."""
    few = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=QUIET,
    )
    run_state_machine_as_test(machine, settings=few)


def live_many_days(machine: type[RuleBasedStateMachine], examples: int, steps: int = 20) -> None:
    """Let a machine live other days every time."""
    many = settings(
        max_examples=examples * TIMES, stateful_step_count=steps, deadline=None, suppress_health_check=QUIET
    )
    run_state_machine_as_test(machine, settings=many)
