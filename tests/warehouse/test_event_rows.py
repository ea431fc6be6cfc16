"""Events on every warehouse: sent once, backfilled by their time, left out and forgotten if old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.event_rows import BULK, DAY, HOUR, backfilled, order, orders, orders_model, stored
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse."""
    return make_world(warehouse=request.param)


def test_events_are_sent_by_the_rules_of_their_time(shop: World) -> None:
    """Old ones are left out, those from before the first run start no flows, and old keys are forgotten."""
    orders_model(shop, horizon="10d")
    first = [
        order(shop, "old", 11 * DAY),
        order(shop, "o1", 9 * DAY, value="12.50", value_currency="EUR"),
        order(shop, "o2", HOUR, email="bob@example.com"),
    ]
    orders(shop, *first)
    plan = shop.plan().models[0]
    assert plan.events is not None
    assert (plan.events.old_rows, plan.events.backfilled, plan.events.oldest) == (1, 2, first[1]["time"])
    assert only_list(shop.run(options=PlanOptions(limit=1))).outcomes[Outcome.UNVERIFIED] == 1
    shop.wait()
    second = [*first, order(shop, "o3", 0 * HOUR)]
    orders(shop, *second)
    shop.run()
    assert backfilled(shop) == {"o1": True, "o2": True, "o3": False}
    assert (stored(shop)["o1"]["value"], stored(shop)["o1"]["value_currency"]) == (12.5, "EUR")
    shop.wait(3 * DAY.total_seconds())
    shop.run()
    ((key,),) = shop.state("SELECT table_key FROM models")
    keys = shop.state(f"SELECT retl_identity FROM snapshot_{key}")
    assert sorted(identity for (identity,) in keys) == ["key:o2", "key:o3"]
    assert only_list(shop.run()).outcomes == {}


def test_a_person_with_too_many_events_on_a_day_stops_the_model(shop: World) -> None:
    """Those that were sent count; days without a new event do not, nor do other people."""
    orders_model(shop, max_per_day=2)
    day = order(shop, "o1", 2 * DAY)["time"].replace(hour=12)
    rows = [order(shop, f"o{nth}") | {"time": day} for nth in range(2)]
    orders(shop, *rows, order(shop, "b1", email="bob@example.com") | {"time": day})
    assert shop.run().exit_code == 0
    orders(shop, *rows, order(shop, "o2") | {"time": day.replace(hour=23)})
    with pytest.raises(GuardRefused) as raised:
        shop.run()
    assert len(stored(shop)) == 3
    (problem,) = raised.value.problems
    assert problem.summary.startswith("A person has more than 2 events on a day (1 time, the most 3; max_p")
    assert shop.run(options=PlanOptions(allow=Allowances(adds=["orders"]))).exit_code == 0
    orders(shop, *rows, order(shop, "o2") | {"time": day.replace(hour=23)}, order(shop, "o3"))
    assert shop.run().exit_code == 0


def test_lost_replies_and_changed_rows(shop: World) -> None:
    """After a lost reply events go alone; a changed row of a known key is rejected, and new ones still go."""
    orders_model(shop)
    rows = [order(shop, f"o{nth}") for nth in range(3)]
    orders(shop, *rows)
    shop.fault(Fault(FaultKind.CUT, method="POST", path=BULK, after=True, times=1))
    assert only_list(shop.run()).outcomes == {Outcome.UNVERIFIED: 3}
    orders(shop, rows[0] | {"item": "coffee"}, *rows[1:], order(shop, "o3"))
    result = shop.run()
    assert only_list(result).outcomes == {Outcome.UNVERIFIED: 1}
    assert [rejection.reason.code for rejection in only_list(result).list_plan.check_rejections] == [
        "changed"
    ]
    assert len(stored(shop)) == 4


@stand_in_is_long
def test_the_metrics_of_rows_are_looked_up_before_the_first_events(shop: World) -> None:
    orders_model(shop, "select unique_id, email, time, item as metric from orders", metric=None)
    orders(shop, order(shop, "o1", item="Placed Order"))
    shop.run()
    shop.model(
        "refunds",
        "select unique_id, email, time, item as metric from orders",
        surface="events",
        backfill="before_live",
    )
    shop.drop_model("orders")
    plan = shop.plan()
    assert "'Placed Order'" in plan.problems[0].summary


@stand_in_is_long
def test_a_row_without_a_needed_value_is_rejected_in_the_plan(shop: World) -> None:
    """With the column's name, before anything is sent: a time, and a metric where a column names it."""
    orders_model(shop, "select unique_id, email, time, item as metric from orders", metric=None)
    rows = [order(shop, "o1"), order(shop, "o2", time=None), order(shop, "o3", item=" "), order(shop, "o4")]
    orders(shop, *rows)
    (list_plan,) = shop.plan().models[0].lists
    rejections = {
        rejection.reason.describe().lower(): rejection.rows for rejection in list_plan.check_rejections
    }  # Snowflake has the names in upper case
    reason = "a column that every row needs is empty"
    assert rejections == {f"{reason}: time": 1, f"{reason}: metric": 1}
    shop.run()
    assert sorted(stored(shop)) == ["o1", "o4"]
