"""Rule: a flag that lets a model pass a guard is refused for a model that this guard never stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances

if TYPE_CHECKING:
    from tests.core.world import World


@pytest.mark.parametrize(
    ("allowed", "flag", "expected"),
    [
        ({"deletes": {"members": 5}}, "--allow-deletes", "The model members deletes nobody"),
        ({"resubscribe": ["members"]}, "--allow-resubscribe", "The model members subscribes nobody"),
        ({"request": ["members"]}, "--allow-request", "The model members describes no requests"),
        ({"clears": ["members"]}, "--allow-clears", "The model members clears no values"),
    ],
)
def test_a_flag_for_another_kind_of_model_is_refused(
    world: World, allowed: dict[str, Any], flag: str, expected: str
) -> None:
    """Before anything is read or sent: it would otherwise pass in silence."""
    world.people([{"email": "ann@example.com"}])
    world.model("members", "select email from people")
    with pytest.raises(UsageError, match=expected) as raised:
        world.run(options=PlanOptions(allow=Allowances(**allowed)))
    (problem,) = raised.value.problems
    assert problem.where == flag
    assert raised.value.exit_code == 2
    assert world.writes() == []


def test_a_flag_that_fits_is_accepted(world: World) -> None:
    world.people([{"email": "ann@example.com", "tier": "gold"}])
    world.model("members", "select email, tier from people", on_null="clear")
    world.run(options=PlanOptions(allow=Allowances(adds=["members"], clears=["members"])))
