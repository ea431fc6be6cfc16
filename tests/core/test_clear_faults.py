"""Rule: values that became NULL are cleared in the end, whatever goes wrong on the way."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import KlaviyoError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.killing import dies_at_statement
from tests.core.random_days import TIMES
from tests.core.test_clears import ANN, BOB, become, properties, send, single_requests
from tests.core.world import World, only_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.core.world import PrepareWorld

    Rows = Sequence[Mapping[str, Any]]

IMPORT_ONE, UPDATE_ONE = "/api/profile-import", "/api/profiles/*"
GOLD: Rows = [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold", "cups": 1}]
CLEARED: Rows = [{"email": ANN}, {"email": BOB, "cups": 2}]


def send_gold(world: World) -> None:
    """Send the values that become NULL later."""
    send(world, GOLD)


def check_cleared(world: World) -> None:
    """Run once more, check what Klaviyo has, and that another run sends nothing."""
    world.calm()
    world.run()
    assert (properties(world, ANN), properties(world, BOB)) == ({}, {"cups": 2})
    before = len(world.writes())
    assert only_list(world.run()).list_plan.unchanged == 2
    assert len(world.writes()) == before


@pytest.mark.parametrize(
    ("path", "after"),
    [
        (IMPORT_ONE, False),
        (UPDATE_ONE, True),
        pytest.param(IMPORT_ONE, True, marks=pytest.mark.long),
        pytest.param(UPDATE_ONE, False, marks=pytest.mark.long),
    ],
)
def test_a_lost_reply_leaves_the_row_for_the_next_run(
    prepare_world: PrepareWorld, path: str, *, after: bool
) -> None:
    """Whether the request was carried out or not."""
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.CUT, path=path, method="P*", times=None, after=after))
    result = send(world, CLEARED)
    assert result.failed
    assert result.outcomes.keys() <= {Outcome.APPLIED, Outcome.UNKNOWN, Outcome.NOT_SENT}
    check_cleared(world)


@pytest.mark.parametrize("path", [IMPORT_ONE, UPDATE_ONE])
def test_a_reply_that_shows_nothing_proves_nothing(prepare_world: PrepareWorld, path: str) -> None:
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.OMIT, path=path, method="P*", field="/data/attributes/properties"))
    assert send(world, CLEARED).outcomes == {Outcome.APPLIED: 1, Outcome.UNKNOWN: 1}
    check_cleared(world)


def test_a_profile_that_is_gone_by_its_id_is_found_by_its_identifier(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.STATUS, status=404, path=UPDATE_ONE, method="PATCH"))
    assert send(world, CLEARED).outcomes == {Outcome.APPLIED: 2}
    assert [request.split()[0] for request in single_requests(world)].count("POST") == 2
    check_cleared(world)


def test_a_refused_clear_rejects_its_row_until_it_changes(prepare_world: PrepareWorld) -> None:
    """Its import was carried out: what Klaviyo has is not what it had before."""
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.STATUS, status=400, path=IMPORT_ONE))
    rows: Rows = [{"email": ANN, "cups": 5}, {"email": BOB, "cups": 2}]
    assert send(world, rows).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    before = len(world.writes())
    assert send(world, rows).list_plan.rejected_by_check == 1
    assert len(world.writes()) == before
    assert properties(world) == {"tier": "gold", "cups": 5}
    assert send(world, [{"email": ANN, "tier": "gold"}, {"email": BOB, "cups": 2}]).list_plan.updates == 1
    assert properties(world) == {"tier": "gold"}


def test_a_refused_import_is_not_followed_by_a_clear(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.REFUSE_ROWS, pattern="ann"))
    rows: Rows = [{"email": ANN, "cups": 5}, {"email": BOB, "cups": 2}]
    assert send(world, rows).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert len(single_requests(world)) == 1
    assert properties(world) == {"tier": "gold"}


def test_an_uncertain_row_has_every_null_cleared(world: World) -> None:
    """Nobody knows what the killed run's import did."""
    become(world, GOLD)
    assert world.dies(lambda event: isinstance(event, SendProgress))
    become(world, CLEARED)
    assert only_list(world.run()).list_plan.clears == 2
    check_cleared(world)


def test_a_row_that_may_be_new_has_every_null_cleared(world: World) -> None:
    """The snapshot does not have it, and Klaviyo may."""
    world.fault(Fault(FaultKind.MISCOUNT, rows=1))
    assert send(world, GOLD).outcomes == {Outcome.UNKNOWN: 2}
    plan = send(world, CLEARED).list_plan
    assert (plan.adds, plan.clears) == (2, 2)
    check_cleared(world)


def test_a_limit_defers_clears_as_well(prepare_world: PrepareWorld) -> None:
    world = prepare_world(send_gold)
    become(world, CLEARED)
    plan = only_list(world.run(options=PlanOptions(limit=1))).list_plan
    assert (plan.clears, plan.deferred) == (1, 1)
    check_cleared(world)


def test_a_value_that_comes_back_after_a_lost_clear_is_sent(prepare_world: PrepareWorld) -> None:
    """The clear was carried out; the model has the old value again, as the snapshot has."""
    world = prepare_world(send_gold)
    world.fault(Fault(FaultKind.CUT, path=IMPORT_ONE, times=None, after=True))
    send(world, CLEARED)
    world.calm()
    send(world, GOLD)
    assert (properties(world, ANN), properties(world, BOB)["tier"]) == ({"tier": "gold"}, "gold")


def begin(world: World) -> None:
    """Send values, and let them become NULL or change."""
    send(world, GOLD)
    become(world, CLEARED)


@pytest.mark.parametrize("nth", range(8, 43, 12))
def test_a_run_may_be_killed_at_a_statement(prepare_world: PrepareWorld, nth: int) -> None:
    world = prepare_world(begin)
    dies_at_statement(world, nth)
    check_cleared(world)


@pytest.mark.long
def test_a_run_may_be_killed_at_any_statement(tmp_path: Path) -> None:
    nth, died = 1, True
    while died:
        world = World(tmp_path / str(nth))
        begin(world)
        died = dies_at_statement(world, nth)
        check_cleared(world)
        world.close()
        nth += 1
    assert nth > 35


VALUES = st.sampled_from([None, None, "a", "b"])
ROWS = st.fixed_dictionaries({"tier": VALUES, "title": VALUES, "location_city": VALUES})
PATHS = st.sampled_from([IMPORT_ONE, UPDATE_ONE, "/api/profiles", "/api/profile-bulk-import-jobs*"])
FAULTS = st.one_of(
    st.none(),
    st.builds(
        Fault,
        kind=st.sampled_from([FaultKind.STATUS, FaultKind.CUT, FaultKind.HTML]),
        path=PATHS,
        times=st.sampled_from([1, 2, 9]),
        after=st.booleans(),
        status=st.sampled_from([500, 503, 404, 401]),
    ),
    st.builds(
        Fault,
        kind=st.just(FaultKind.OMIT),
        path=PATHS,
        field=st.sampled_from(["/data/attributes/properties", "/data/attributes", "/data"]),
    ),
)
STEPS = st.tuples(st.lists(ROWS, min_size=3, max_size=3), FAULTS, st.integers(0, 140))


HISTORIES = st.lists(STEPS, min_size=2, max_size=5)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=HISTORIES)
def test_in_the_end_klaviyo_has_the_values_of_the_model(steps: Sequence[Any]) -> None:
    """Whatever became NULL on the way is NULL there; then nothing is sent."""
    check_history(steps)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=20 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=HISTORIES)
def test_in_the_end_klaviyo_has_the_values_of_the_model_after_many_histories(steps: Sequence[Any]) -> None:
    check_history(steps)


def check_history(steps: Sequence[Any]) -> None:
    """Let values, faults and deaths be these; check what Klaviyo has in the end."""
    folder = Path(tempfile.mkdtemp())
    world = World(folder / "shop")
    try:
        rows: list[Mapping[str, Any]] = []
        for values, fault, death in steps:
            rows = [{"email": f"p{number}@example.com", **row} for number, row in enumerate(values)]
            world.fault(*([fault] if fault else []))
            run_somehow(world, rows, death)
            world.calm()
        for _ in range(2):
            send(world, rows)
        for row in rows:
            person = world.person(row["email"])
            city = (person.get("location") or {}).get("city")
            at_klaviyo = (person["properties"].get("tier"), person.get("title"), city)
            assert at_klaviyo == (row["tier"], row["title"], row["location_city"])
        before = len(world.writes())
        send(world, rows)
        assert len(world.writes()) == before
    finally:
        world.close()
        shutil.rmtree(folder)


def run_somehow(world: World, rows: Sequence[Mapping[str, Any]], death: int) -> None:
    """Send rows, and die at a statement unless `death` is 0; the run may fail."""
    with suppress(KlaviyoError):
        become(world, rows)
        dies_at_statement(world, death or 1_000_000)
