"""Whatever order runs, kills and days come in: an event's own time decides whether it starts flows.

Nothing older than the horizon is ever sent, no event is sent twice, and none in between is lost.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reverse_etl.errors import ReverseEtlError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.surfaces.event_rules import Backfill, EventRules
from tests.core.event_rows import DAY, now, order, orders, orders_model, stored
from tests.core.world import Interrupted, World

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

HORIZONS = (5, 10, 20)
TIMES = st.integers(1_500_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@dataclass
class EventHistory:
    """The events of the past: the rows, the settings, and the events that Klaviyo has."""

    world: World
    rows: list[dict[str, Any]] = field(default_factory=list)
    horizon: int = 10
    live_since: datetime | None = None
    known: set[str] = field(default_factory=set)

    def act(self, action: tuple[str, int]) -> None:
        """Do one thing, and check what reached Klaviyo."""
        name, number = action
        before = now(self.world)
        match name:
            case "orders":
                ago = timedelta(hours=number)
                self.rows.append(order(self.world, f"o{len(self.rows)}", ago))
                orders(self.world, *self.rows)
            case "days":
                self.world.wait(number * 3_600.0)
            case "horizon":
                self.horizon = HORIZONS[number % len(HORIZONS)]
                orders_model(self.world, horizon=f"{self.horizon}d")
            case "limited":
                self._run(options=PlanOptions(limit=1 + number % 3))
            case "lost":
                fault = Fault(
                    FaultKind.CUT, method="POST", path="/api/event*", after=bool(number % 2), times=1
                )
                self.world.fault(fault)
                self._run()
            case "killed":
                self.world.dies(lambda event: type(event).__name__ == "SendProgress")
            case _:
                self._run()
        self._check_new_events(before)

    def _run(self, **options: Any) -> None:
        with suppress(ReverseEtlError, Interrupted):
            self.world.run(**options)
        self.world.calm()

    def _check_new_events(self, before: datetime) -> None:
        if self.live_since is None and (self.world.folder / "shop.reverse_etl.duckdb").exists():
            for (live_since,) in self.world.state("SELECT live_since FROM models"):
                self.live_since = datetime.fromisoformat(live_since)
        times = {row["unique_id"]: row["time"] for row in self.rows}
        for unique_id, event in stored(self.world).items():
            if unique_id in self.known:
                continue
            self.known.add(unique_id)
            assert self.live_since is not None
            assert event["backfill"] == (times[unique_id] < self.live_since)
            assert times[unique_id] >= before - self.horizon * DAY - timedelta(seconds=5)


def actions() -> SearchStrategy[list[tuple[str, int]]]:
    """Draw what happens, with hours or a choice."""
    return st.lists(
        st.one_of(
            st.tuples(st.just("orders"), st.integers(0, 300)),
            st.tuples(st.just("days"), st.integers(1, 200)),
            st.tuples(
                st.sampled_from(["horizon", "limited", "lost", "killed", "run", "run"]), st.integers(0, 5)
            ),
        ),
        max_size=12,
    )


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([("orders", 100), ("run", 0), ("days", 200), ("horizon", 2), ("run", 0)])
@example([("orders", 5), ("killed", 0), ("orders", 0), ("days", 1), ("lost", 1), ("run", 0)])
@given(actions())
def test_each_event_is_sent_once_by_the_rules_of_its_time(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "project")
        try:
            history = EventHistory(world)
            orders_model(world, horizon="10d")
            orders(world)
            for step in steps:
                history.act(step)
            start = now(world)
            for _ in range(2):
                world.run()
            history._check_new_events(start)
            never_old = {row["unique_id"] for row in history.rows if row["time"] >= now(world) - 5 * DAY}
            assert never_old <= stored(world).keys()
            writes = len(world.writes())
            world.run()
            assert len(world.writes()) == writes
        finally:
            world.close()


@given(time=TIMES, live_since=TIMES)
def test_only_the_mode_and_the_time_decide_about_backfill(time: datetime, live_since: datetime) -> None:
    for backfill, expected in (
        (Backfill.ALWAYS, True),
        (Backfill.NEVER, False),
        (Backfill.BEFORE_LIVE, time < live_since),
    ):
        rules = EventRules("Placed Order", backfill, 30 * DAY)
        assert rules.is_backfilled(time, live_since) is expected


@given(now_=TIMES, later=st.integers(0, 10_000), horizons=st.tuples(*[st.integers(1, 500)] * 2))
def test_forgotten_events_are_never_sent_again(now_: datetime, later: int, horizons: tuple[int, int]) -> None:
    """The cutoff of any later run, with any other horizon, is not before that of the run that forgot keys."""
    first, second = (EventRules("m", Backfill.NEVER, days * DAY) for days in horizons)
    pruned_before = first.find_cutoff(now_, None)
    later_cutoff = second.find_cutoff(now_ + timedelta(hours=later), pruned_before)
    assert later_cutoff >= pruned_before
    assert later_cutoff >= now_ + timedelta(hours=later) - second.horizon
