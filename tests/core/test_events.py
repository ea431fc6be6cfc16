"""The surface `events`: rows are events that are sent once, and start flows or not by their time."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, ModelError, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.event_rows import (
    BULK,
    DAY,
    SINGLE,
    backfilled,
    now,
    order,
    orders,
    orders_model,
    stored,
)
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import World


def requests_to(world: World, path: str) -> list[Any]:
    """Return the requests to a path."""
    return [entry for entry in world.writes() if entry.path == path]


def test_events_are_sent_once_with_identifiers_alone(world: World) -> None:
    """The events of a person are one element of one request; nothing else of the person is sent."""
    orders_model(world)
    orders(
        world,
        order(world, "o1", value="12.50", value_currency="eur"),
        order(world, "o2", item=None),
        order(world, "o3", email="bob@example.com", phone_e164="+14155550101"),
    )
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 3}
    assert len(requests_to(world, BULK)) == 1
    events = stored(world)
    assert {key: event["email"] for key, event in events.items()} == {
        "o1": "ann@example.com",
        "o2": "ann@example.com",
        "o3": "bob@example.com",
    }
    assert (events["o1"]["metric"], events["o1"]["value"], events["o1"]["value_currency"]) == (
        "Placed Order",
        12.5,
        "EUR",
    )
    assert (events["o1"]["properties"], events["o2"]["properties"]) == ({"item": "tea"}, {})
    assert {key for person in world.sandbox.profiles() for key, value in person.items() if value} <= {
        "id",
        "email",
        "phone_number",
        "created",
        "updated",
    }
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code, len(world.writes())) == ({}, 0, 1)


def test_a_column_can_name_the_metric_of_each_event(world: World) -> None:
    orders_model(world, "select unique_id, email, time, item as metric from orders", metric=None)
    orders(world, order(world, "o1", item="Placed Order"), order(world, "o2", item="Refunded"))
    world.run()
    assert {key: event["metric"] for key, event in stored(world).items()} == {
        "o1": "Placed Order",
        "o2": "Refunded",
    }


def test_events_from_before_the_first_run_start_no_flows(world: World) -> None:
    """Each event's own time decides, also of events that a limit kept back in the first run."""
    orders_model(world)
    rows = [order(world, "o1"), order(world, "o2")]
    orders(world, *rows)
    world.run(options=PlanOptions(limit=1))
    assert backfilled(world) == {"o1": True}
    world.wait()
    orders(world, *rows, order(world, "o3", timedelta(seconds=30)))
    world.run()
    assert backfilled(world) == {"o1": True, "o2": True, "o3": False}


@pytest.mark.parametrize(("backfill", "expected"), [("always", True), ("never", False)])
def test_backfill_can_be_chosen_for_all_events(world: World, backfill: str, expected: bool) -> None:
    orders_model(world, backfill=backfill)
    orders(world, order(world, "o1"))
    world.run()
    assert backfilled(world) == {"o1": expected}


def test_nothing_older_than_the_horizon_is_sent(world: World) -> None:
    """Old rows are no rows of the model: they are counted, and not rejected."""
    orders_model(world, horizon="10d")
    orders(world, order(world, "old", 11 * DAY), order(world, "new", 9 * DAY))
    plan = world.plan()
    assert plan.models[0].events is not None
    assert (plan.models[0].events.old_rows, plan.models[0].lists[0].rows) == (1, 1)
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNVERIFIED: 1}, 0)
    assert sorted(stored(world)) == ["new"]


def test_keys_are_forgotten_only_when_their_events_are_too_old_to_be_sent(world: World) -> None:
    """A longer horizon later sends nothing again whose key is forgotten. The newest key stays."""
    orders_model(world, horizon="10d")
    first, second = order(world, "o1", 9 * DAY), order(world, "o2", 8 * DAY)
    orders(world, first, second)
    world.run()
    ((key,),) = world.state("SELECT table_key FROM models")
    assert world.state(f"SELECT COUNT(*) FROM snapshot_{key}") == [(2,)]
    world.wait(4 * DAY.total_seconds())
    third = order(world, "o3")
    orders(world, first, second, third)
    world.run()
    world.run()
    assert world.state(f"SELECT retl_identity FROM snapshot_{key}") == [("key:o3",)]
    orders_model(world, horizon="90d")
    assert only_list(world.run()).outcomes == {}
    assert sorted(stored(world)) == ["o1", "o2", "o3"]
    world.wait(120 * DAY.total_seconds())
    assert only_list(world.run()).outcomes == {}
    assert world.state(f"SELECT retl_identity FROM snapshot_{key}") == [("key:o3",)]


def test_a_changed_event_is_rejected(world: World) -> None:
    orders_model(world)
    row = order(world, "o1")
    orders(world, row)
    world.run()
    orders(world, row | {"item": "coffee"})
    result = world.run()
    (rejection,) = only_list(result).list_plan.check_rejections
    assert (rejection.reason.code, len(world.writes())) == ("changed", 1)


def test_rows_that_cannot_be_sent_stop_no_other(world: World) -> None:
    faults: dict[str, dict[str, Any]] = {
        "missing_value": {"time": None},
        "value_currency": {"value_currency": "euro"},
        "item": {"item": "x" * 100_001},
        "no_identifier": {"email": None},
    }
    orders_model(world)
    bad = [order(world, f"bad{number}", **values) for number, values in enumerate(faults.values())]
    orders(world, order(world, "o1"), *bad, order(world, "o3"))
    world.run()
    assert sorted(stored(world)) == ["o1", "o3"]
    reasons = [rejected.reason for rejected in world.project().status().lists[0].rejections]
    assert len(reasons) == len(faults)
    for field in faults:
        assert [reason for reason in reasons if field in {reason.field, reason.code}], field


def test_a_row_at_which_klaviyo_points_is_rejected_alone(world: World) -> None:
    """Two people's events are in the request: the pointer leads to the person's element and its event."""
    orders_model(world)
    far = -400 * DAY
    orders(
        world,
        order(world, "o1"),
        order(world, "o2", email="bob@example.com"),
        order(world, "o3", far, email="bob@example.com"),
    )
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 2, Outcome.REJECTED: 1}
    assert sorted(stored(world)) == ["o1", "o2"]
    (rejected,) = world.project().status().lists[0].rejections
    assert (rejected.reason.field, rejected.example) == ("time", "key:o3")
    assert only_list(world.run()).outcomes == {}


@pytest.mark.parametrize("after", [True, False])
def test_after_a_lost_reply_events_are_sent_alone(world: World, after: bool) -> None:
    """The endpoint of single events drops those that the lost request stored."""
    orders_model(world)
    orders(world, *(order(world, f"o{number}") for number in range(5)))
    world.fault(Fault(FaultKind.CUT, method="POST", path=BULK, after=after, times=1))
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 5}
    assert (len(requests_to(world, BULK)), len(requests_to(world, SINGLE))) == (1, 5)
    assert len(stored(world)) == 5
    assert only_list(world.run()).outcomes == {}


def test_events_that_may_be_stored_are_sent_alone_in_the_next_run(world: World) -> None:
    orders_model(world)
    orders(world, *(order(world, f"o{number}") for number in range(3)))
    world.fault(Fault(FaultKind.CUT, method="POST", path="/api/event*", after=True, times=None))
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNKNOWN: 3}, 4)
    world.calm()
    orders(world, *(order(world, f"o{number}") for number in range(4)))
    world.run()
    assert len(stored(world)) == 4
    assert len(requests_to(world, BULK)) == 2


def test_events_that_klaviyo_has_already_refuse_no_other(world: World) -> None:
    """Whether a bulk request with a stored id is refused is not known: the events then go alone."""
    world.sandbox.change_rules(bulk_repeats="refuse")
    orders_model(world)
    rows = [order(world, f"o{number}") for number in range(4)]
    orders(world, *rows)
    world.run()
    ((key,),) = world.state("SELECT table_key FROM models")
    world.forget_keys(key, "key:o1")
    world.run()
    assert len(stored(world)) == 4
    assert only_list(world.run()).outcomes == {}


def test_the_state_knows_when_a_part_of_it_is_lost(world: World) -> None:
    """Nothing is sent until somebody says since when events start flows."""
    orders_model(world)
    orders(world, order(world, "o1"))
    world.run()
    ((key,),) = world.state("SELECT table_key FROM models")
    world.forget_keys(key)
    with pytest.raises(GuardRefused, match="a part of the state was lost"):
        world.run()
    assert len(world.writes()) == 1
    world.run(options=PlanOptions(live_since=now(world)))
    assert backfilled(world) == {"o1": True}


def test_a_lost_state_is_known_by_klaviyos_metric(world: World) -> None:
    orders_model(world, backfill="never")
    orders(world, order(world, "o1"))
    world.run()
    (world.folder / "shop.reverse_etl.duckdb").unlink()
    with pytest.raises(GuardRefused, match="'Placed Order'") as refused:
        world.run()
    assert "--live-since" in refused.value.problems[0].hint
    assert "backfill='before_live'" in refused.value.problems[0].hint
    orders_model(world, backfill="before_live")
    later = order(world, "o2", timedelta(0))
    orders(world, order(world, "o1"), later)
    world.wait(1.0)
    world.run(options=PlanOptions(live_since=later["time"]))
    assert {key: event for key, event in backfilled(world).items() if key == "o2"} == {"o2": False}


def test_a_restored_state_holds_events_until_a_time_is_given(world: World) -> None:
    """The second event was sent after the backup, and started flows; sent again it starts none."""
    state = world.folder / "shop.reverse_etl.duckdb"
    orders_model(world)
    orders(world, order(world, "o1"))
    world.run()
    shutil.copy(state, world.folder / "backup.duckdb")
    world.wait()
    rows = [order(world, "o2", timedelta(seconds=10))]
    orders(world, *rows)
    world.run()
    shutil.copy(world.folder / "backup.duckdb", state)
    with pytest.raises(GuardRefused, match="may be older than what was sent"):
        world.run()
    world.run(options=PlanOptions(live_since=now(world)))
    world.project().state_changes.trust()
    orders(world, *rows, order(world, "o3", timedelta(0)))
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}
    bodies = [entry.rows for entry in requests_to(world, BULK)]
    assert bodies == [1, 1, 1, 1]
    assert sorted(stored(world)) == ["o1", "o2", "o3"]


def test_metrics_that_cannot_be_read_are_no_permission(world: World) -> None:
    world.sandbox.change_rules(missing_scopes=("metrics:read",))
    orders_model(world)
    orders(world, order(world, "o1"))
    with pytest.raises(GuardRefused, match="can't be found out"):
        world.run()
    assert world.writes() == []


def test_a_time_in_the_future_is_refused(world: World) -> None:
    orders_model(world)
    orders(world, order(world, "o1"))
    with pytest.raises(UsageError, match="future"):
        world.run(options=PlanOptions(live_since=now(world) + DAY))


def test_a_time_without_a_zone_is_refused(world: World) -> None:
    orders_model(world, "select unique_id, email, time::timestamp as time from orders")
    orders(world, order(world, "o1"))
    with pytest.raises(ModelError, match="timestamp with a time zone"):
        world.run()


UNSOUND: list[tuple[str, dict[str, Any], str]] = [
    ("select unique_id, email, time from orders", {"backfill": None}, "needs backfill"),
    ("select unique_id, email, time, item as metric from orders", {}, "named twice"),
    ("select unique_id, email, time from orders", {"metric": None}, "needs the column metric"),
    ("select email, time from orders", {}, "needs the column unique_id"),
    ("select unique_id, email from orders", {}, "needs the column time"),
    ("select unique_id, email, time from orders", {"horizon": "2h"}, "horizon is not a duration"),
    ("select unique_id, email, time from orders", {"backfill": "sometimes"}, "backfill"),
]


def test_a_model_of_events_is_checked_when_it_is_compiled(world: World) -> None:
    for number, (select, config, _) in enumerate(UNSOUND):
        orders_model(world, select, name=f"m{number}", **config)
    orders(world, order(world, "o1"))
    with pytest.raises(ModelError) as refused:
        world.plan()
    for number, (select, config, message) in enumerate(UNSOUND):
        problems = [str(each) for each in refused.value.problems if f"m{number}.sql" in each.where]
        assert message in " ".join(problems), (select, config)


def test_an_event_that_a_lost_request_may_have_stored_is_not_sent_twice(world: World) -> None:
    """The request was stored and its reply lost; then the endpoint of single events refuses everything."""
    orders_model(world)
    orders(world, *(order(world, f"o{number}") for number in range(3)))
    world.fault(
        Fault(FaultKind.CUT, "POST", BULK, after=True),
        Fault(FaultKind.STATUS, "POST", SINGLE, status=400, times=None),
    )
    assert only_list(world.run()).outcomes == {Outcome.UNKNOWN: 3}
    world.calm()
    world.run()
    assert sorted(stored(world)) == ["o0", "o1", "o2"]
    assert len(requests_to(world, BULK)) == 1


def test_a_model_that_continues_another_does_not_send_events_that_it_forgot(world: World) -> None:
    """The other model had a shorter horizon, and its keys are pruned."""
    ages = (1, 2, 3)
    orders_model(world, horizon="10d", backfill="never")
    orders(world, *(order(world, f"o{days}", days * DAY) for days in ages))
    world.run()
    world.wait(9 * 86_400.0)
    orders(world, *(order(world, f"o{days}", (days + 9) * DAY) for days in ages), order(world, "o9"))
    world.run()
    world.drop_model("orders")
    select = "select unique_id, email, time from orders"
    world.model(
        "sales", f"{select} where false", surface="events", metric="Other", backfill="never", horizon="90d"
    )
    world.run()
    world.project().state_changes.rename("orders", "sales")
    world.model("sales", select, surface="events", metric="Other", backfill="never", horizon="90d")
    assert only_list(world.run()).outcomes == {}
    assert len(requests_to(world, BULK)) == 2
