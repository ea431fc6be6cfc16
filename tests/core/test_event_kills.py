"""Events are sent once, whatever ends a run: kills at each statement and request, lost replies, refusals."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ReverseEtlError
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.event_rows import BULK, backfilled, now, order, orders, orders_model, stored
from tests.core.killing import dies_at_statement
from tests.core.world import Interrupted, World, only_list
from tests.surfaces import limit_rows_per_request

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS = 5


@pytest.fixture(autouse=True)
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request hold two events, so that few events take several requests."""
    limit_rows_per_request(monkeypatch, 2)


def begin(world: World) -> None:
    """Let a model have old and new orders that it never sent."""
    orders_model(world)
    people = ["ann", "bob", "ann", "cat", "bob"]
    orders(
        world,
        *(order(world, f"o{nth}", email=f"{who}@example.com") for nth, who in enumerate(people)),
    )


def converges(world: World) -> None:
    """Check that the next run sends what is missing, and the one after it nothing."""
    result = world.run()
    assert sorted(stored(world)) == [f"o{nth}" for nth in range(ORDERS)]
    assert all(backfilled(world).values())
    assert result.exit_code == 0
    writes = len(world.writes())
    assert only_list(world.run()).outcomes == {}
    assert len(world.writes()) == writes


@pytest.mark.parametrize("step", [19, pytest.param(1, marks=pytest.mark.long)])
def test_a_run_may_be_killed_at_any_statement(make_world: Callable[..., World], step: int) -> None:
    nth = step
    while True:
        world = make_world(f"killed_{nth}")
        begin(world)
        if not dies_at_statement(world, nth):
            break
        converges(world)
        nth += step
    assert nth > 40 / step


@pytest.mark.parametrize(
    ("nth", "after"),
    [
        (1, True),
        (2, False),
        (3, True),
        *(pytest.param(*case, marks=pytest.mark.long) for case in ((1, False), (2, True), (3, False))),
    ],
)
def test_a_run_may_be_killed_at_any_request(world: World, nth: int, after: bool) -> None:
    """The request is lost in the moment at which the run dies."""
    begin(world)
    seen = [0]

    def at(event: Any) -> bool:
        seen[0] += type(event).__name__ == "SendProgress"
        return seen[0] == nth

    world.fault(Fault(FaultKind.CUT, method="POST", path=BULK, after=after, times=1))
    assert world.dies(at)
    world.calm()
    converges(world)


@pytest.mark.parametrize(
    ("after", "repeats"),
    [
        (True, "refuse"),
        (True, "ignore"),
        (False, "refuse"),
        pytest.param(False, "ignore", marks=pytest.mark.long),
    ],
)
def test_lost_replies_store_no_event_twice(
    make_world: Callable[..., World], after: bool, repeats: str
) -> None:
    """Also if Klaviyo refuses bulk requests with an event that it has."""
    world = make_world(bulk_repeats=repeats)
    begin(world)
    world.fault(
        Fault(
            FaultKind.CUT, method="POST", path="/api/event*", after=after, times=None, probability=0.5, seed=3
        )
    )
    for _ in range(3):
        with suppress(ReverseEtlError):
            world.run()
    world.calm()
    converges(world)


def test_only_events_under_way_are_sent_alone_after_a_kill(world: World) -> None:
    """The receipt of a request is stored before it: what has none was not sent."""
    begin(world)

    def die(event: Any) -> None:
        if type(event).__name__ == "SendProgress":
            raise Interrupted

    with pytest.raises(Interrupted):
        world.project(threads=1).run(on_progress=die)
    world.run()
    assert len([entry for entry in world.writes() if entry.path == "/api/events"]) <= 2
    assert len(stored(world)) == ORDERS


def test_a_refusal_without_a_pointer_is_taken_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint of single events says which event is at fault."""
    limit_rows_per_request(monkeypatch, 100)
    orders_model(world)
    orders(world, *(order(world, f"o{nth}", item="bad" if nth == 3 else "tea") for nth in range(8)))
    world.fault(
        Fault(FaultKind.STATUS, method="POST", path=BULK, status=413, times=6),
    )
    world.run()
    assert len(stored(world)) == 8


def test_a_fault_of_all_events_stops_the_model_and_rejects_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_rows_per_request(monkeypatch, 100)
    orders_model(world)
    orders(world, *(order(world, f"o{nth}", now(world) - now(world).replace(year=1980)) for nth in range(25)))
    orders_model(world, horizon="36500d")
    result = world.run()
    assert result.exit_code == 4
    assert "model or the account" in only_list(result).stop_reason
    assert world.project().status().lists[0].rejections == ()


def test_a_refusal_of_everything_stops_the_model_and_rejects_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that points at no event, of any event, is the request's or the account's."""
    limit_rows_per_request(monkeypatch, 100)
    orders_model(world)
    orders(world, *(order(world, f"o{nth}") for nth in range(30)))
    world.fault(Fault(FaultKind.STATUS, method="POST", path="/api/event*", status=400, times=None))
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.NOT_SENT: 30}, 4)
    assert world.project().status().lists[0].rejections == ()
    world.calm()
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 30}


def test_a_guard_stops_unusually_many_events(world: World) -> None:
    begin(world)
    world.run()
    orders(world, *(order(world, f"o{nth}") for nth in range(200)))
    result_plan = world.plan()
    assert "max_adds" in result_plan.problems[0].summary
