"""Events on the command line: what a plan says of flows, and what a lost state needs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold" / "events"
SELECT = "select unique_id, email, time, item from orders"
ORDERS = (
    "CREATE OR REPLACE TABLE orders AS SELECT 'o' || i AS unique_id, 'p' || i % 3 || '@x.com' AS email, "
    "now() - i * INTERVAL 10 DAY - INTERVAL 1 HOUR AS time, 'tea' AS item FROM range(5) AS t(i)"
)


@pytest.fixture
def orders(cli: CommandLine) -> CommandLine:
    """Let a model send events, and no other model be there."""
    (cli.folder / "models" / "vip.sql").unlink()
    cli.sql(ORDERS)
    cli.model("orders", SELECT, surface="events", metric="Placed Order", backfill="before_live")
    return cli


def shown(text: str) -> str:
    """Return a text without its times."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time>", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text) + "\n"


@pytest.mark.parametrize("backfill", ["before_live", "always", "never"])
def test_a_plan_says_which_events_start_flows(orders: CommandLine, gold: Gold, backfill: str) -> None:
    """How many go out, from when they are, and which are too old. A plan sends nothing."""
    orders.model("orders", SELECT, surface="events", metric="Placed Order", backfill=backfill)
    sandbox = orders.klaviyo()
    ended = orders.run("plan")
    assert ended.code == 0, ended.err
    gold.check(GOLD / f"plan_{backfill}.txt", shown(ended.out))
    assert [entry for entry in sandbox.log() if entry.method != "GET"] == []
    document = json.loads(orders.run("plan", "--json").out)["models"][0]["event_plan"]
    backfilled = 0 if backfill == "never" else 3
    assert (document["old_rows"], document["backfilled"], document["live_since"]) == (2, backfilled, None)


def test_a_run_sends_events_and_a_second_one_nothing(orders: CommandLine, gold: Gold) -> None:
    sandbox = orders.klaviyo()
    ended = orders.run("run")
    assert ended.code == 0, ended.err
    gold.check(GOLD / "run.txt", shown(re.sub(r"\d{8}T\d{6}-\w+", "<run>", ended.out)))
    assert len(sandbox.events()) == 3
    writes = [entry for entry in sandbox.log() if entry.method != "GET"]
    assert orders.run("run").code == 0
    assert [entry for entry in sandbox.log() if entry.method != "GET"] == writes


def test_after_a_lost_state_nothing_is_sent_until_a_time_is_given(orders: CommandLine, gold: Gold) -> None:
    """The plan of a saved file has the time too."""
    sandbox = orders.klaviyo()
    orders.run("run")
    (orders.folder / "shop.reverse_etl.duckdb").unlink()
    ended = orders.run("run")
    assert ended.code == 3
    gold.check(GOLD / "lost_state.txt", shown(ended.err))
    time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert orders.run("plan", "--live-since", time, "--out", "plan.json").code == 0
    assert orders.run("apply", "plan.json").code == 0
    assert all(event["backfill"] for event in sandbox.events())
    assert orders.run("run").code == 0


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ("yesterday", "not a time with a zone"),
        ("2026-11-30T08:00:00", "zone"),
        ("2999-01-01T00:00:00Z", "future"),
    ],
)
def test_a_time_that_cannot_be_is_refused(orders: CommandLine, time: str, message: str) -> None:
    orders.klaviyo()
    ended = orders.run("plan", "--live-since", time)
    assert ended.code == 2
    assert message in ended.err


def test_a_time_needs_a_model_of_events(cli: CommandLine) -> None:
    cli.klaviyo()
    ended = cli.run("plan", "--live-since", "2026-01-01T08:00:00Z")
    assert (ended.code, "No selected model has events" in ended.err) == (2, True)


def test_a_ready_model_of_events_is_planned_next(cli: CommandLine) -> None:
    """Other ready models are shown by `debug --request` first."""
    assert "Next: reverse-etl plan --select events" in cli.run("init", "--template", "events").out
    assert (
        "Next: reverse-etl debug --request coupon_codes" in cli.run("init", "--template", "coupon_codes").out
    )
