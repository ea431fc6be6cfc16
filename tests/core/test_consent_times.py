"""The time of a consent: missing, in the future, without a zone, moved, and two within half an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, ModelError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from tests.core.consent import (
    ANN,
    BOB,
    LONG_AGO,
    NAIVE,
    at,
    consents,
    marketing,
    new_list,
    outcomes,
    status,
)
from tests.core.world import World, only_list

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND_LIST = {"name": "Others", "opt_in_process": "single_opt_in"}
MOVED = PlanOptions(allow=Allowances(updates=["newsletter"]))


def test_a_row_without_a_time_is_rejected(world: World) -> None:
    """Nobody is subscribed without saying since when."""
    consents(world, (ANN, None), (BOB, LONG_AGO))
    result = world.run()
    (rejected,) = only_list(result).list_plan.check_rejections
    assert rejected.reason.describe() == "consented_at is empty"
    assert outcomes(result) == {"applied": 1}


def test_a_time_in_the_future_is_rejected_until_it_is_past(world: World) -> None:
    """The same row is sent when its time has come."""
    consents(world, (ANN, at(world, 7200.0)), (BOB, LONG_AGO))
    result = world.run()
    (rejected,) = only_list(result).list_plan.check_rejections
    assert rejected.reason.describe() == "consented_at is in the future"
    world.wait(7300.0)
    assert outcomes(world.run()) == {"applied": 1}
    assert status(world) == "SUBSCRIBED"


def test_a_time_that_is_past_for_us_waits_for_klaviyos_clock(make_world: Callable[..., World]) -> None:
    """Klaviyo would refuse it. The row is not rejected, since the next run can send it."""
    world = make_world(klaviyo_ahead=-120.0)
    consents(world, (ANN, at(world, -60.0)), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 1, "not_sent": 1}, 1)
    world.wait(300.0)
    assert outcomes(world.run()) == {"applied": 1}


def test_a_time_without_a_zone_needs_one(world: World) -> None:
    """A local time read as UTC may lie in the future, or before an opt-out."""
    world.people([{"email": ANN, "consented_at": "2020-05-01 12:00:00"}], "naive", NAIVE)
    select = "select email, consented_at from naive"
    world.model("newsletter", select, surface="subscriptions", channel="email")
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert "which has no time zone" in caught.value.problems[0].summary
    assert "yours, such as 'Europe/Berlin'" in str(caught.value.problems[0].hint)
    zone = "America/New_York"
    world.model("newsletter", select, surface="subscriptions", channel="email", consented_at_timezone=zone)
    world.run()
    assert marketing(world)["consent_timestamp"].startswith("2020-05-01T16:00:00")


def test_a_time_of_today_is_compared_in_its_own_zone(world: World) -> None:
    """Noon in Auckland is past while it is still night in London."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    local = (now.astimezone(ZoneInfo("Pacific/Auckland")) - timedelta(minutes=5)).replace(tzinfo=None)
    world.people([{"email": ANN, "consented_at": f"{local:%Y-%m-%d %H:%M:%S}"}], "naive", NAIVE)
    world.model(
        "newsletter",
        "select email, consented_at from naive",
        surface="subscriptions",
        channel="email",
        consented_at_timezone="Pacific/Auckland",
    )
    assert outcomes(world.run()) == {"applied": 1}
    shown = datetime.fromisoformat(marketing(world)["consent_timestamp"])
    assert abs((shown - now).total_seconds() + 300.0) < 2.0


def test_a_model_whose_times_move_stops(world: World) -> None:
    """A time of the load instead of the consent would overwrite when people consented."""
    rows = [(f"p{number}@example.com", LONG_AGO) for number in range(10)]
    consents(world, *rows)
    world.run()
    moved = [(email, "2021-01-01 00:00:00+00:00") for email, _ in rows]
    consents(world, *moved[:2], *rows[2:])
    assert outcomes(world.run()) == {"applied": 2}
    consents(world, *moved[:5], *rows[5:])
    with pytest.raises(GuardRefused) as caught:
        world.run()
    assert caught.value.problems[0].summary == (
        "consented_at moved for 3 of 10 rows (30 %); the limit is 2 (20 %). Nothing was sent."
    )
    assert outcomes(world.run(options=MOVED)) == {"applied": 3}


def test_another_consent_within_half_an_hour_waits(world: World) -> None:
    """Klaviyo would ignore it in silence: the second list gets its people by the next run."""
    new_list(world, "single_opt_in")
    world.by_hand("POST", "/api/lists", {"data": {"type": "list", "attributes": SECOND_LIST}})
    consents(world, (ANN, None), consent="now", list="Members")
    select = "select email, consented_at from consents"
    config = {"surface": "subscriptions", "channel": "email", "consent": "now"}
    world.model("other", select, list="Others", **config)
    result = world.run()
    assert only_list(result, "newsletter").outcomes == {Outcome.APPLIED: 1}
    assert (only_list(result, "other").outcomes, result.exit_code) == ({Outcome.NOT_SENT: 1}, 1)
    world.wait(1900.0)
    assert only_list(world.run(), "other").outcomes == {Outcome.APPLIED: 1}
    assert (world.emails(), world.emails("Others")) == ([ANN], [ANN])
