"""Rows of events, and the model that sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.core.world import World

COLUMNS = (
    "unique_id VARCHAR, email VARCHAR, phone_e164 VARCHAR, time TIMESTAMPTZ, value DECIMAL(10,2), "
    "value_currency VARCHAR, item VARCHAR"
)
SELECT = "select unique_id, email, phone_e164, time, value, value_currency, item from orders"
BULK = "/api/event-bulk-create-jobs"
SINGLE = "/api/events"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def now(world: World) -> datetime:
    """Return the time on the world's clock."""
    return datetime.fromtimestamp(world.clock.now(), UTC)


def order(world: World, unique_id: str, ago: timedelta = HOUR, **values: Any) -> dict[str, Any]:
    """Return an order of some time ago, by default by ann."""
    return {
        "unique_id": unique_id,
        "email": "ann@example.com",
        "time": now(world) - ago,
        "item": "tea",
    } | values


def orders(world: World, *rows: dict[str, Any]) -> None:
    """Let the table of orders be these rows."""
    world.people(rows, "orders", COLUMNS)


def orders_model(world: World, select: str = SELECT, name: str = "orders", **config: Any) -> None:
    """Let a model send the orders."""
    settings = {"metric": "Placed Order", "backfill": "before_live"} | config
    given = {name: value for name, value in settings.items() if value is not None}
    world.model(name, select, surface="events", **given)


def stored(world: World) -> dict[str, dict[str, Any]]:
    """Return the events that Klaviyo has, by unique id; each may be there once."""
    events = world.sandbox.events()
    events_by_id = {event["unique_id"]: event for event in events}
    assert len(events_by_id) == len(events), "an event is there twice"
    return events_by_id


def backfilled(world: World) -> dict[str, bool]:
    """Return of each event whether it started no flows."""
    return {unique_id: event["backfill"] for unique_id, event in stored(world).items()}
