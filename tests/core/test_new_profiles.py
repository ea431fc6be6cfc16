"""Rule: a plan says how many profiles its adds would create: by a look-up of some, and by what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.profile_forecast import NewProfiles
from reverse_etl.sandbox import Fault, FaultKind

if TYPE_CHECKING:
    from tests.core.world import World


def become(world: World, count: int) -> None:
    """Write people with an e-mail and a phone, and a model of them."""
    rows = [
        {"email": f"p{number}@example.com", "phone_e164": f"+1415555010{number}"} for number in range(count)
    ]
    world.people(rows)
    world.model("members", "select email, phone_e164 from people", min_rows=0)


def forecast(world: World, people: int | None = 500, **options: Any) -> NewProfiles | None:
    """Return the forecast of the first list of the only model that is planned."""
    (model_plan,) = world.plan(options=PlanOptions(forecast_people=people), **options).models
    return model_plan.lists[0].new_profiles


def look_ups(world: World) -> int:
    """Return how many requests looked up people."""
    return len([entry for entry in world.sandbox.log() if entry.path == "/api/profiles"])


def test_people_with_any_known_identifier_are_not_new(world: World) -> None:
    become(world, 4)
    world.new_profile(email="p0@example.com")
    world.new_profile(phone_number="+14155550101")
    new_profiles = forecast(world)
    assert new_profiles == NewProfiles(2, 2, looked_up=4)
    assert new_profiles.describe(4) == "2 of the 4 adds would be new profiles"
    assert len(world.writes()) == 2, "those of the two profiles"


@pytest.mark.parametrize("people", [None, 0])
def test_a_plan_that_may_ask_nothing_looks_nobody_up(world: World, people: int | None) -> None:
    become(world, 2)
    new_profiles = forecast(world, people)
    assert new_profiles == (None if people is None else NewProfiles(0, 2))
    assert not look_ups(world)
    if new_profiles is not None:
        expected = "at most 2 of the 2 adds would be new profiles (Klaviyo was not asked)"
        assert new_profiles.describe(2) == expected


def test_beyond_the_budget_the_forecast_is_a_range(world: World) -> None:
    become(world, 5)
    world.new_profile(email="p0@example.com")
    new_profiles = forecast(world, 3)
    assert new_profiles == NewProfiles(2, 4, looked_up=3)
    expected = "between 2 and 4 of the 5 adds would be new profiles (3 people were looked up)"
    assert new_profiles.describe(5) == expected


@pytest.mark.parametrize(("people", "expected"), [(0, NewProfiles(0, 2, 0, 2)), (1, NewProfiles(0, 2, 1, 1))])
def test_people_that_a_model_sent_before_are_not_new(
    world: World, people: int, expected: NewProfiles
) -> None:
    """By any identifier, and on a list of any model; those that are looked up do not count twice."""
    become(world, 2)
    world.run()
    become(world, 4)
    world.model("others", "select phone_e164, email from people", list="Others", min_rows=0)
    assert forecast(world, people, select=["others"]) == expected
    assert expected.sent_before == 2 - people


def test_a_failing_look_up_leaves_the_range(world: World) -> None:
    become(world, 2)
    world.fault(Fault(FaultKind.STATUS, status=403, path="/api/profiles", method="GET", times=None))
    warnings: list[str] = []
    new_profiles = forecast(world, on_progress=lambda event: warnings.append(getattr(event, "text", "")))
    assert new_profiles == NewProfiles(0, 2)
    start = "People could not be looked up, so the number of new profiles is a range. "
    assert [
        text
        for text in warnings
        if text.startswith(start) and text.endswith("To plan without it: --new-profiles 0")
    ]


def test_people_that_cannot_be_looked_up_may_be_new_or_not(world: World) -> None:
    become(world, 2)
    world.fault(Fault(FaultKind.STATUS, status=400, path="/api/profiles", method="GET", times=None))
    assert forecast(world) == NewProfiles(0, 2)


def test_a_model_that_creates_nobody_has_no_forecast(world: World) -> None:
    world.people([{"email": "p0@example.com", "tier": "gold"}])
    world.model("members", "select email, tier from people", surface="profiles", create="never")
    assert forecast(world) is None


@pytest.mark.parametrize(
    ("least", "most", "adds", "sentence"),
    [
        (1, 1, 1, "the one add would be a new profile"),
        (0, 0, 1, "the one add would not be a new profile"),
        (2, 2, 3, "2 of the 3 adds would be new profiles"),
        (0, 3, 3, "at most 3 of the 3 adds would be new profiles (Klaviyo was not asked)"),
    ],
)
def test_a_forecast_is_a_sentence(least: int, most: int, adds: int, sentence: str) -> None:
    assert NewProfiles(least, most).describe(adds) == sentence
