"""Rule: a plan says how many profiles its adds would create, if it is asked to look them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.planning import profile_forecast
from reverse_etl.planning.plan import PlanOptions
from reverse_etl.planning.profile_forecast import NewProfiles
from reverse_etl.sandbox import Fault, FaultKind

if TYPE_CHECKING:
    import pytest

    from tests.core.world import World

FORECAST = PlanOptions(forecast=True)


def become(world: World, count: int) -> None:
    """Write people with an e-mail and a phone, and a model of them."""
    rows = [
        {"email": f"p{number}@example.com", "phone_e164": f"+1415555010{number}"} for number in range(count)
    ]
    world.people(rows)
    world.model("members", "select email, phone_e164 from people", min_rows=0)


def forecast(world: World) -> NewProfiles | None:
    """Return the forecast of the only list."""
    (model_plan,) = world.plan(options=FORECAST).models
    return model_plan.lists[0].new_profiles


def test_people_with_any_known_identifier_are_not_new(world: World) -> None:
    become(world, 4)
    world.new_profile(email="p0@example.com")
    world.new_profile(phone_number="+14155550101")
    assert forecast(world) == NewProfiles(2, 2)
    assert world.writes() == world.writes()[:2]  # those of the two profiles


def test_a_plan_that_is_not_asked_looks_nobody_up(world: World) -> None:
    become(world, 2)
    (model_plan,) = world.plan().models
    assert model_plan.lists[0].new_profiles is None
    assert not [entry for entry in world.sandbox.log() if entry.path == "/api/profiles"]


def test_beyond_the_budget_the_forecast_is_a_range(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_forecast, "MAX_PEOPLE", 3)
    become(world, 5)
    world.new_profile(email="p0@example.com")
    found = forecast(world)
    assert found == NewProfiles(2, 4)
    assert found.describe(5).startswith("between 2 and 4 of the 5 adds would be new profiles")


def test_people_that_cannot_be_looked_up_may_be_new_or_not(world: World) -> None:
    become(world, 2)
    world.fault(Fault(FaultKind.STATUS, status=400, path="/api/profiles", method="GET", times=None))
    assert forecast(world) == NewProfiles(0, 2)


def test_a_model_that_creates_nobody_has_no_forecast(world: World) -> None:
    world.people([{"email": "p0@example.com", "tier": "gold"}])
    world.model("members", "select email, tier from people", surface="profiles", create="never")
    assert forecast(world) is None
